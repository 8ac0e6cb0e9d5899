"""Several GPUs: a worker for each, on a device of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from models.checkpoints.weights import Weights
from models.engine.device.gpus import count_gpus
from tests.operation.processes import LONGEST_SECONDS, eventually, workers
from tests.server import Server, serving


def given(server: Server) -> list[str]:
    """The devices that workers have said they were given."""
    return re.findall(r"whisper-tiny\.en:\w+ on (\S+) in", server.printed)


def wait_for_devices(server: Server, count: int) -> list[str]:
    assert eventually(lambda: len(given(server)) >= count), given(server)
    return given(server)


@contextmanager
def four_gpus(output: Path, **settings: str) -> Iterator[Server]:
    """A server where four GPUs are seen."""
    with serving(
        output,
        "tests.operation.four_gpus:Whisper",
        WHISPER_DEFAULT_MODEL="tiny.en",
        WHISPER_DTYPE="float32",
        WHISPER_SLOTS="1",
        **settings,
    ) as running:
        yield running


def device(server: Server) -> str:
    """That of a worker."""
    return str(httpx.get(f"{server.url}/health", timeout=LONGEST_SECONDS).json()["device"])


@pytest.mark.parametrize("named", ["cuda:1", "cpu"])
def test_a_device_that_is_named_has_a_worker_alone(
    weights: Callable[[str], Weights], tmp_path: Path, named: str
) -> None:
    weights("tiny.en")
    with four_gpus(tmp_path / "output.txt", WHISPER_DEVICE=named) as server:
        assert wait_for_devices(server, 1) == [named]
        assert device(server) == named
        assert len(workers(server)) == 1


def test_each_worker_has_a_gpu_of_its_own_and_so_has_one_in_its_place(
    weights: Callable[[str], Weights], tmp_path: Path
) -> None:
    weights("tiny.en")
    with four_gpus(tmp_path / "output.txt") as server:
        before = wait_for_devices(server, 4)
        assert sorted(before) == ["cuda:0", "cuda:1", "cuda:2", "cuda:3"]
        assert device(server) in before
        victim, *_ = workers(server)
        command = victim.cmdline()
        number = int(command[command.index("--worker-id") + 1])
        victim.kill()

        assert wait_for_devices(server, 5)[4:] == [f"cuda:{number - 1}"]


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
