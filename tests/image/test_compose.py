"""Compose, by podman-compose: the image of a clone is run as `deploy/compose.yaml` says."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from tests.image.compose import Compose
from tests.image.container import URL, Container, wait_until_ready
from tests.image.test_plain_commands import transcribe
from tests.image.workshop import Workshop

KEY = "a-key-of-the-tests"
GIBIBYTE = 2**30


@pytest.fixture
def keys(compose: Compose) -> Iterator[Path]:
    """The file of keys, with one."""
    path = compose.clone / "deploy" / "secrets" / "api-keys"
    path.write_text(f"tests:{KEY}", encoding="utf-8")
    path.chmod(0o644)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def project(compose: Compose, clone_image: str) -> Iterator[Compose]:
    """Compose with its image, whose volume is removed in the end."""
    yield compose
    compose.workshop.run("podman", "volume", "rm", "--force", "whisper_home")


def addresses() -> set[str]:
    """Those of the calling thread's network."""
    return {
        address.address
        for device in psutil.net_if_addrs().values()
        for address in device
        if address.family == socket.AF_INET
    }


def is_reached(address: str) -> bool:
    """Whether the port is open at an address of the calling thread's network."""
    try:
        return httpx.get(f"http://{address}:8000/livez", timeout=10).is_success
    except httpx.ConnectError:
        return False


def assert_locked_down(container: Container) -> None:
    """Nothing can be written, gained or exceeded."""
    [found] = json.loads(container.workshop.run("podman", "inspect", container.name))
    told: dict[str, Any] = found["HostConfig"]

    assert (found["Config"]["User"], found["EffectiveCaps"] or []) == ("1034:1034", [])
    assert (told["ReadonlyRootfs"], told["Privileged"]) == (True, False)
    assert told["SecurityOpt"] == ["no-new-privileges"]
    assert (told["Memory"], told["PidsLimit"]) == (8 * GIBIBYTE, 1024)


def test_up_without_keys_serves_this_machine_alone_and_says_so(
    project: Compose, workshop: Workshop
) -> None:
    with project.up() as container:
        wait_until_ready(container)
        assert "what your country can do for you" in container.ask(transcribe, URL)
        health = container.get("/health").json()
        assert (health["status"], health["default_model"]) == ("ok", project.model)
        found = {each: container.ask(is_reached, each) for each in container.ask(addresses)}
        assert len(found) > 1, "Compose has made no network"
        assert [each for each, reached in found.items() if reached] == ["127.0.0.1"]
        assert "no keys in deploy/secrets/api-keys: for this machine alone" in container.printed
        assert "Traceback" not in container.printed
        assert_locked_down(container)

    assert project.containers() == []
    # Models that were added stay for the next time.
    assert "whisper_home" in workshop.run("podman", "volume", "ls", "--quiet").split()


def test_up_with_keys_asks_for_one(project: Compose, keys: Path) -> None:
    with project.up() as container:
        wait_until_ready(container)
        assert container.get("/v1/models").status_code == 401
        answer = container.ask(with_key, f"{URL}/v1/models")
        assert answer.status_code == 200
        assert "no keys" not in container.printed


def with_key(url: str) -> httpx.Response:
    """The answer to a GET with the key."""
    return httpx.get(url, headers={"authorization": f"Bearer {KEY}"}, timeout=30)


def test_gpu_file_lies_over_the_other(compose: Compose) -> None:
    told = compose.run("config", gpu=True)
    service = yaml.safe_load(told)["services"]["whisper"]

    assert {"GPU=all", f"MODEL={compose.model}", "UV_FIND_LINKS"} <= set(service["build"]["args"])
    assert service["image"] == f"whisper-bento:{compose.model}-cuda"
    assert service["environment"]["WHISPER_DEVICE"] == "cuda"
    assert service["mem_limit"] == "16g"
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    assert (service["read_only"], service["user"]) == (True, "1034:1034")


def test_container_for_gpus_is_not_made_without_one(
    project: Compose, workshop: Workshop, clone_image: str
) -> None:
    workshop.run("podman", "tag", clone_image, f"{clone_image}-cuda")

    with pytest.raises(AssertionError, match=r"nvidia\.com/gpu="), project.up(gpu=True):
        pass
