"""Layers, contents and labels of the OCI image."""

from __future__ import annotations

from typing import Any

import pytest

from api.version import project_version
from tests.image.bentos import Bento
from tests.image.conftest import REVISION, SECRET
from tests.image.workshop import VARIABLES, Workshop

MEGABYTE = 1e6
CHANGED, WEIGHTS = "localhost/whisper-bento:changed", "localhost/whisper-bento:weights"


@pytest.fixture(scope="module")
def config(workshop: Workshop, image: str) -> dict[str, Any]:
    """Its configuration, as a container engine reads it."""
    found: Any = workshop.inspect(image)
    return {**found["Config"], "Healthcheck": found["Healthcheck"]}


def test_it_runs_as_a_user_with_a_number(config: dict[str, Any]) -> None:
    assert config["User"] == "1034:1034"


def test_it_serves_on_one_port_and_tells_its_health(config: dict[str, Any]) -> None:
    assert list(config["ExposedPorts"]) == ["8000/tcp"]
    assert "/readyz" in config["Healthcheck"]["Test"][-1]


def test_its_labels_say_what_it_is(config: dict[str, Any], bento: Bento) -> None:
    labels = {name: value for name, value in config["Labels"].items() if "buildah" not in name}
    info: Any = bento.info

    assert labels == {
        "org.opencontainers.image.title": "whisper-bento",
        "org.opencontainers.image.description": labels["org.opencontainers.image.description"],
        "org.opencontainers.image.version": project_version(),
        "org.opencontainers.image.revision": REVISION,
        "org.opencontainers.image.licenses": "MIT",
        "whisper-bento.bento": bento.tag,
        "whisper-bento.model": info["labels"]["model"],
        "whisper-bento.device": "cpu",
    }


def test_nothing_of_the_builder_is_in_its_configuration(workshop: Workshop, image: str) -> None:
    told = workshop.run("podman", "image", "inspect", image)

    for kept_out in (SECRET, *VARIABLES, "UV_", "PIP_", "FIND_LINKS"):
        assert kept_out not in told


def test_it_has_neither_compilers_nor_installers_nor_caches(workshop: Workshop, image: str) -> None:
    tools = " ".join(("gcc", "cc", "g++", "make", "git", "uv"))
    places = (
        "/root/.cache /tmp/bentoml/* /app/.venv/bin/pip /app/.venv/lib/python3*/site-packages/pip"
    )
    script = (
        f"for tool in {tools}; do command -v $tool; done; ls -d {places} 2>/dev/null; "
        "find / -xdev -user 1034 ! -path '/proc/*' | head; true"
    )

    command = ("podman", "run", "--rm", "--network=none", image, "sh", "-c", script)
    assert workshop.run(*command) == "/tmp/bentoml"


def test_weights_packages_and_code_are_layers_of_their_own(
    workshop: Workshop, image: str, measured: list[str]
) -> None:
    base, user, weights, packages, code = workshop.layers(image)

    assert "useradd" in user.instruction
    assert "bento/models" in weights.instruction
    assert "/app/.venv" in packages.instruction
    assert weights.size > 140 * MEGABYTE
    assert user.size + code.size < 10 * MEGABYTE
    whole = sum(layer.size for layer in (base, user, weights, packages, code))
    measured.append(f"the image has {whole / MEGABYTE:.0f} MB")
    for name, layer in (
        ("base", base),
        ("weights", weights),
        ("packages", packages),
        ("code", code),
    ):
        share = layer.size / whole
        measured.append(f"  {name}: {layer.size / MEGABYTE:.1f} MB, {share:.1%}")


def test_a_change_of_the_code_is_one_layer(workshop: Workshop, image: str, changed: Bento) -> None:
    workshop.make_image(changed, CHANGED)

    before, after = workshop.layers(image), workshop.layers(CHANGED)
    assert [layer.digest for layer in before[:-1]] == [layer.digest for layer in after[:-1]]
    assert before[-1].digest != after[-1].digest


def test_the_same_weights_are_the_same_layer_wherever_it_is_made(
    workshop: Workshop, image: str, changed: Bento
) -> None:
    workshop.make_image(changed, WEIGHTS, "--target=weights", "--no-cache")

    *_, weights = workshop.layers(WEIGHTS)
    assert weights.digest == workshop.layers(image)[len(workshop.layers(WEIGHTS)) - 1].digest
