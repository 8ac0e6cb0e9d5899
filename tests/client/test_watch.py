"""When a file in a watched folder is taken for whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from client.watch import REST_SECONDS, Resting
from tests.client.conftest import Ran


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_file_is_ready_after_its_rest_and_once(tmp_path: Path) -> None:
    clock = Clock()
    resting = Resting(clock)
    (path := tmp_path / "a.mp3").write_bytes(b"a")
    assert not resting.is_ready(path)
    clock.now = REST_SECONDS - 0.01
    assert not resting.is_ready(path)
    path.write_bytes(b"ab")
    clock.now = REST_SECONDS
    assert not resting.is_ready(path)
    clock.now = 2 * REST_SECONDS
    assert resting.is_ready(path)
    clock.now = 9 * REST_SECONDS
    assert not resting.is_ready(path)


def test_a_file_that_is_replaced_is_ready_again(tmp_path: Path) -> None:
    clock = Clock()
    resting = Resting(clock)
    (path := tmp_path / "a.mp3").write_bytes(b"a")
    resting.is_ready(path)
    clock.now = REST_SECONDS
    assert resting.is_ready(path)
    os.utime(path, ns=(1, 1))
    assert not resting.is_ready(path)
    clock.now = 2 * REST_SECONDS
    assert resting.is_ready(path)


def test_a_file_that_goes_away_is_not_ready(tmp_path: Path) -> None:
    assert not Resting(Clock()).is_ready(tmp_path / "no.mp3")


def test_there_must_be_a_folder(tmp_path: Path, run: Callable[..., Ran]) -> None:
    assert run("watch", tmp_path / "no") == (
        2,
        "",
        f"error: there is no folder {tmp_path / 'no'}\n",
    )
