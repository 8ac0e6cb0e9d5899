"""Several GPUs: a worker for each, on a device of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from models.checkpoints.weights import Weights
from models.engine.device.gpus import count_gpus
from tests.server import Server, serving

SECONDS = 120


def given(server: Server) -> list[str]:
    """The devices that workers have said they were given."""
    return re.findall(r"whisper-tiny\.en:\w+ on (\S+) in", server.printed)


def wait_for_devices(server: Server, count: int) -> list[str]:
    deadline = time.monotonic() + SECONDS
    while len(given(server)) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return given(server)


@pytest.mark.parametrize(
    ("device", "devices"),
    [
        ("auto", ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]),
        ("cuda:1", ["cuda:1"]),
        ("cpu", ["cpu"]),
    ],
)
def test_each_worker_has_a_gpu_of_its_own(
    weights: Callable[[str], Weights], tmp_path: Path, device: str, devices: list[str]
) -> None:
    weights("tiny.en")
    with serving(
        tmp_path / "output.txt",
        "tests.operation.four_gpus:Whisper",
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_DEVICE=device,
        WHISPER_DTYPE="float32",
        WHISPER_SLOTS="1",
    ) as server:
        assert sorted(wait_for_devices(server, len(devices))) == devices
        assert httpx.get(f"{server.url}/health").json()["device"] in devices


def test_worker_that_takes_the_place_of_another_has_its_gpu(
    weights: Callable[[str], Weights], tmp_path: Path
) -> None:
    weights("tiny.en")
    with serving(
        tmp_path / "output.txt",
        "tests.operation.four_gpus:Whisper",
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_DTYPE="float32",
        WHISPER_SLOTS="1",
    ) as server:
        before = wait_for_devices(server, 4)
        workers = [
            child
            for child in psutil.Process(server.process.pid).children(recursive=True)
            if "--worker-id" in child.cmdline()
        ]
        victim = workers[0]
        number = int(victim.cmdline()[victim.cmdline().index("--worker-id") + 1])
        victim.kill()
        after = wait_for_devices(server, 5)

    assert sorted(before) == ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]
    assert after[4:] == [f"cuda:{number - 1}"]


def test_one_gpu_or_none_is_counted_without_asking_pytorch(tmp_path: Path) -> None:
    driver = tmp_path / "gpus"
    assert count_gpus(driver) == 0
    (driver / "0000:01:00.0").mkdir(parents=True)
    assert count_gpus(driver) == 1


def test_of_several_gpus_pytorch_says_how_many_it_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        (tmp_path / f"0000:0{number}:00.0").mkdir()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    assert count_gpus(tmp_path) == 0
