"""The Compose files: valid by the Compose specification's schema, and made for this server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.settings import Settings
from tests.deploy.manifests import DEPLOY, read

FILES = ("compose.yaml", "compose.gpu.yaml")
VARIABLES = {name for name, _, _ in Settings.table()}
HANGS_SECONDS = 5


def service(name: str = "compose.yaml") -> dict[str, Any]:
    (found,) = read(name)["services"].values()
    return dict(found)


def variables(name: str) -> dict[str, str]:
    """What the container is given: those of the file, over those it lies over."""
    return dict(service()["environment"]) | dict(service(name)["environment"])


def problems(path: Path) -> str:
    """What the Compose specification's schema has against a file."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(path)], check=False, capture_output=True, text=True)
    assert (done.returncode == 0) == (done.stdout == "ok -- validation done\n"), done.stderr
    return "" if done.returncode == 0 else done.stdout


@pytest.mark.parametrize("name", FILES)
def test_file_is_valid(name: str) -> None:
    assert problems(DEPLOY / name) == ""


def test_schema_knows_what_is_not_in_it(tmp_path: Path) -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(text.replace("read_only:", "readonly:"))

    assert "'readonly' was unexpected" in problems(tmp_path / "compose.yaml")


@pytest.mark.parametrize("name", FILES)
def test_settings_are_ones_that_the_server_knows(name: str) -> None:
    assert service(name)["environment"].keys() <= VARIABLES
    assert all(isinstance(value, str) for value in service(name)["environment"].values())


def test_settings_fit_the_container() -> None:
    settings = Settings.from_environ(variables("compose.yaml"))
    (port,) = service()["ports"]
    _, secrets = service()["volumes"]

    assert settings.host == "0.0.0.0"
    assert port == f"127.0.0.1:8000:{settings.port}"
    assert secrets == "./secrets:/run/secrets:ro"
    assert str(settings.api_keys_file) == "/run/secrets/api-keys"
    assert str(settings.port) in service()["healthcheck"]["test"][-1]
    assert f"{settings.shutdown_seconds + HANGS_SECONDS + 5}s" == service()["stop_grace_period"]


def test_container_is_locked_down() -> None:
    found = service()

    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["user"].partition(":")[0].isdecimal()
    assert [each.partition(":")[0] for each in found["tmpfs"]] == ["/tmp"]
    assert not found.keys() & {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"}


def test_health_check_asks_whether_it_is_ready() -> None:
    check = service()["healthcheck"]["test"]

    assert check[:3] == ["CMD", "python", "-c"]
    assert "/readyz" in check[3]
    compile(check[3], "healthcheck", "exec")


def test_health_check_is_one_that_docker_23_takes() -> None:
    """It makes no container with `start_interval`, and nor does Podman 4.3."""
    assert service()["healthcheck"].keys() == {
        *("test", "interval", "timeout", "retries", "start_period"),
    }


def test_gpu_file_lies_over_the_other_and_reserves_a_gpu() -> None:
    below, above = read("compose.yaml"), read("compose.gpu.yaml")
    (device,) = service("compose.gpu.yaml")["deploy"]["resources"]["reservations"]["devices"]

    assert above["services"].keys() == below["services"].keys()
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert Settings.from_environ(variables("compose.gpu.yaml")).device == "cuda"


def test_volumes_that_are_used_are_declared() -> None:
    used = {each.partition(":")[0] for each in service()["volumes"]}

    assert {name for name in used if not name.startswith("./")} == read("compose.yaml")[
        "volumes"
    ].keys()


@pytest.mark.parametrize("name", FILES)
def test_what_the_build_is_told_is_what_the_dockerfile_takes(name: str) -> None:
    dockerfile = (DEPLOY.parent / "Dockerfile").read_text(encoding="utf-8")
    declared = set(re.findall(r"^ARG (\w+)", dockerfile, flags=re.MULTILINE))

    assert service(name)["build"]["args"].keys() <= declared


def start(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the command does with keys in `folder`; in place of the server, its settings."""
    *shell, script = service()["command"]
    script = script.replace("$$", "$").replace("/run/secrets", str(folder))
    script = re.sub("exec bentoml.*", "exec env", script)
    keys = {"WHISPER_API_KEYS_FILE": str(folder / "api-keys")}
    return subprocess.run(
        [*shell, script],
        env={"PATH": os.defpath} | keys | variables,
        capture_output=True,
        text=True,
    )


def test_without_keys_it_serves_this_machine_and_says_so(tmp_path: Path) -> None:
    done = start(tmp_path)

    assert "WHISPER_ALLOW_ANYONE=true" in done.stdout
    assert "WHISPER_API_KEYS_FILE" not in done.stdout
    assert "for this machine alone, http://127.0.0.1:8000" in done.stderr


@pytest.mark.parametrize("kept", ["WHISPER_ALLOW_ANYONE=false", "WHISPER_API_KEYS=a-key-of-mine"])
def test_without_a_file_of_keys_settings_stay(tmp_path: Path, kept: str) -> None:
    name, _, value = kept.partition("=")
    printed = start(tmp_path, **{name: value}).stdout

    assert kept in printed
    assert "WHISPER_ALLOW_ANYONE=true" not in printed


def test_with_keys_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "api-keys").write_text("me:a-key-of-mine", encoding="utf-8")
    done = start(tmp_path)

    assert f"WHISPER_API_KEYS_FILE={tmp_path}/api-keys" in done.stdout
    assert "WHISPER_ALLOW_ANYONE" not in done.stdout
    assert done.stderr == ""


def test_where_keys_cannot_be_looked_for_it_does_not_start(tmp_path: Path) -> None:
    done = start(tmp_path / "missing")

    assert done.returncode == 1
    assert "chmod 755 deploy/secrets" in done.stderr
    assert done.stdout == ""
