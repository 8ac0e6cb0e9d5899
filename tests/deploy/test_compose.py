"""The Compose files: valid by the Compose specification's schema, and made for this server."""

from __future__ import annotations

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
    (secret,) = service()["secrets"]

    assert settings.host == "0.0.0.0"
    assert port == f"127.0.0.1:8000:{settings.port}"
    assert str(settings.api_keys_file) == f"/run/secrets/{secret}"
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


def test_gpu_file_lies_over_the_other_and_reserves_a_gpu() -> None:
    below, above = read("compose.yaml"), read("compose.gpu.yaml")
    (device,) = service("compose.gpu.yaml")["deploy"]["resources"]["reservations"]["devices"]

    assert above["services"].keys() == below["services"].keys()
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert Settings.from_environ(variables("compose.gpu.yaml")).device == "cuda"


@pytest.mark.parametrize("kind", ["volumes", "secrets"])
def test_what_is_used_is_declared(kind: str) -> None:
    used = {each.partition(":")[0] for each in service()[kind]}

    assert used == read("compose.yaml")[kind].keys()
