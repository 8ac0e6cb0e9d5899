"""Every overlay as kubectl renders it: valid by Kubernetes' schemas, and made for this server."""

from __future__ import annotations

import re
from copy import deepcopy
from math import ceil
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate.utils import ValidationError

from api.settings import Settings
from tests.deploy.manifests import DEPLOY, OVERLAYS, only, render
from tests.deploy.schemas import check
from tests.test_deploy import series

# The oldest that has all that is used, and the newest that there are schemas of.
VERSIONS = ("1.30", "1.37")
ALL_KINDS = {
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Namespace",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "ScaledObject",
    "Service",
    "ServiceMonitor",
}
SCALERS = {"HorizontalPodAutoscaler", "ScaledObject"}
REPLICATED = ["cpu-hpa", "cpu-keda", "gpu-keda"]
VARIABLES = {name for name, _, _ in Settings.table()}
# A worker that hangs is killed so long after its time (docs/operations.md).
HANGS_SECONDS = 5


def pod(overlay: str) -> dict[str, Any]:
    return dict(only(overlay, "Deployment")["spec"]["template"]["spec"])


def container(overlay: str) -> dict[str, Any]:
    (found,) = pod(overlay)["containers"]
    return dict(found)


def variables(overlay: str) -> dict[str, str]:
    return dict(only(overlay, "ConfigMap")["data"])


def labels(resource: dict[str, Any]) -> dict[str, str]:
    return dict(resource["spec"]["template"]["metadata"]["labels"])


def test_every_kind_is_in_some_overlay() -> None:
    kinds = {resource["kind"] for overlay in OVERLAYS for resource in render(overlay)}

    assert kinds == ALL_KINDS
    assert OVERLAYS == ["cpu", "cpu-hpa", "cpu-keda", "gpu", "gpu-keda"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlay_is_valid(overlay: str, version: str) -> None:
    for resource in render(overlay):
        check(resource, version)


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_schemas_know_what_is_not_in_them(kind: str) -> None:
    found = [each for each in render("gpu-keda") + render("cpu-hpa") if each["kind"] == kind]
    resource = deepcopy(found[0])
    resource.get("spec", resource)["enableServiceLink"] = False

    with pytest.raises((AssertionError, ValidationError)):
        check(resource, VERSIONS[0])


def test_every_file_is_part_of_an_overlay() -> None:
    folder = DEPLOY / "kubernetes"
    named: set[Path] = set()
    for kustomization in folder.rglob("kustomization.yaml"):
        content = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
        named.add(kustomization)
        patches = [each["path"] for each in content.get("patches", []) if "path" in each]
        for path in [*content.get("resources", []), *content.get("components", []), *patches]:
            named.add((kustomization.parent / path).resolve())

    files = set(folder.rglob("*.yaml"))
    assert {path for path in files if path not in named} == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_are_ones_that_the_server_knows(overlay: str) -> None:
    assert variables(overlay).keys() <= VARIABLES
    assert "env" not in container(overlay)
    assert container(overlay)["envFrom"] == [
        {"configMapRef": {"name": only(overlay, "ConfigMap")["metadata"]["name"]}}
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_fit_the_pod(overlay: str) -> None:
    settings = Settings.from_environ(variables(overlay))
    (port,) = container(overlay)["ports"]
    (keys,) = (each for each in container(overlay)["volumeMounts"] if each["name"] == "keys")
    (file,) = (each for each in pod(overlay)["volumes"] if each["name"] == "keys")
    limits = container(overlay)["resources"]["limits"]

    assert (settings.host, settings.port) == ("0.0.0.0", port["containerPort"])
    assert settings.api_keys_file == Path(keys["mountPath"], file["secret"]["items"][0]["path"])
    assert str(settings.threads) == limits["cpu"]
    assert (settings.device == "cuda") == ("nvidia.com/gpu" in limits) == ("gpu" in overlay)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_variable_of_a_service_gets_in(overlay: str) -> None:
    """Kubernetes would make WHISPER_PORT a URL for the Service of that name."""
    assert only(overlay, "Service")["metadata"]["name"] == "whisper"
    assert pod(overlay)["enableServiceLinks"] is False


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_grace_period_covers_the_shutdown(overlay: str) -> None:
    settings = Settings.from_environ(variables(overlay))
    delay = container(overlay)["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert delay >= 5
    wanted = delay + settings.shutdown_seconds + HANGS_SECONDS
    assert wanted <= pod(overlay)["terminationGracePeriodSeconds"] <= wanted + 30


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_meet_the_restricted_standard(overlay: str) -> None:
    namespace = only(overlay, "Namespace")["metadata"]["labels"]
    own = container(overlay)["securityContext"]
    shared = pod(overlay)["securityContext"]

    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"]) == (False, True)
    assert shared["runAsNonRoot"] is True
    assert shared["runAsUser"] == shared["runAsGroup"] == shared["fsGroup"] > 0
    assert shared["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(overlay)["automountServiceAccountToken"] is False
    assert {next(iter(each.keys() - {"name"})) for each in pod(overlay)["volumes"]} == {
        "secret",
        "emptyDir",
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_everything_is_about_the_same_pods(overlay: str) -> None:
    theirs = labels(only(overlay, "Deployment"))
    selectors = {
        "Deployment": ("selector", "matchLabels"),
        "NetworkPolicy": ("podSelector", "matchLabels"),
        "PodDisruptionBudget": ("selector", "matchLabels"),
        "Service": ("selector",),
    }
    for resource in render(overlay):
        found: Any = resource["spec"] if resource["kind"] in selectors else None
        for part in selectors.get(resource["kind"], ()):
            found = found[part]
        assert found is None or found.items() <= theirs.items(), resource["kind"]
        if resource["kind"] != "Namespace":
            assert resource["metadata"]["namespace"] == "whisper"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_are_called_by_the_name_the_pod_has(overlay: str) -> None:
    (port,) = only(overlay, "Service")["spec"]["ports"]
    (rule,) = only(overlay, "NetworkPolicy")["spec"]["ingress"]
    probes = [container(overlay)[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")]

    assert [each["name"] for each in container(overlay)["ports"]] == ["http"]
    assert port["targetPort"] == port["name"] == "http"
    assert [each["port"] for each in rule["ports"]] == ["http"]
    assert [each["httpGet"]["port"] for each in probes] == ["http"] * 3
    assert [each["httpGet"]["path"] for each in probes] == ["/readyz", "/readyz", "/livez"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_replicas_are_set_by_one_thing_alone(overlay: str) -> None:
    scalers = [each for each in render(overlay) if each["kind"] in SCALERS]

    assert "replicas" not in only(overlay, "Deployment")["spec"]
    assert len(scalers) == (overlay in REPLICATED)
    assert all(each["spec"]["scaleTargetRef"]["name"] == "whisper" for each in scalers)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_replicas_and_they_alone_keep_some_running(overlay: str) -> None:
    """A single one that may not be evicted would keep its node from being drained."""
    budgets = [each for each in render(overlay) if each["kind"] == "PodDisruptionBudget"]

    assert [each["spec"]["maxUnavailable"] for each in budgets] == [1] * (overlay in REPLICATED)
    assert ("topologySpreadConstraints" in pod(overlay)) == (overlay in REPLICATED)


@pytest.mark.parametrize("overlay", ["cpu-keda", "gpu-keda"])
def test_queue_scales_before_it_is_full(overlay: str) -> None:
    scaled = only(overlay, "ScaledObject")["spec"]
    (trigger,) = scaled["triggers"]
    query, threshold = trigger["metadata"]["query"], int(trigger["metadata"]["threshold"])
    (metric,) = re.findall(r"\bwhisper_\w+", query)
    full = Settings.from_environ(variables(overlay)).queue_seconds

    assert series()[metric] == "whisper_queued_audio_seconds"
    assert f'namespace="{only(overlay, "Deployment")["metadata"]["namespace"]}"' in query
    # Replicas whose queues are full want more of them.
    assert ceil(scaled["minReplicaCount"] * full / threshold) > scaled["minReplicaCount"]
    assert scaled["fallback"]["replicas"] <= scaled["maxReplicaCount"]


@pytest.mark.parametrize("overlay", ["cpu-keda", "gpu-keda"])
def test_metrics_are_scraped_with_a_key(overlay: str) -> None:
    (endpoint,) = only(overlay, "ServiceMonitor")["spec"]["endpoints"]
    selector = only(overlay, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    (keys,) = (each for each in pod(overlay)["volumes"] if each["name"] == "keys")

    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    assert endpoint["authorization"]["credentials"]["name"] == keys["secret"]["secretName"]
    assert selector.items() <= only(overlay, "Service")["metadata"]["labels"].items()
