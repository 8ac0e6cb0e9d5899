"""Scratch folders: sweep at the start, and removal at the end."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from subprocess import PIPE

import pytest

from models.checkpoints.durable_files import scratch_directory
from serving.scratch import (
    clear_after,
    enter_scratch,
    note_start,
    only_one_worker,
    open_scratch,
)


@pytest.fixture
def area(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this user's servers have their temporary files; what is to be held is let go of."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ends: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", ends.append)
    yield tmp_path / f"whisper-bento-{os.getuid()}"
    for end in ends:
        end()


def test_start_sweeps_what_killed_servers_have_left(area: Path) -> None:
    left = area / "scratch-of-the-killed" / "worker-7"
    left.mkdir(parents=True)
    (left / "upload").write_bytes(b"x")

    opened = open_scratch()

    assert not left.parent.exists()
    assert [path for path in area.iterdir() if path.is_dir()] == [opened]


def test_start_leaves_what_another_server_uses(area: Path) -> None:
    area.mkdir()
    with scratch_directory(area) as others:
        opened = open_scratch()

        assert others.exists()
        assert opened != others


def test_its_own_is_for_this_user_alone_and_goes_with_it(
    area: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", ends.append)
    opened = open_scratch()

    assert area.stat().st_mode & 0o777 == 0o700
    assert opened.stat().st_mode & 0o777 == 0o700
    for end in ends:
        end()
    assert not opened.exists()


def test_a_link_in_its_place_is_not_followed(area: Path, tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    area.symlink_to(tmp_path / "others")

    with pytest.raises(PermissionError, match="belongs to somebody else"):
        open_scratch()


def test_worker_has_its_own_in_that_of_its_parent(
    area: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_scratch()
    monkeypatch.setattr(tempfile, "tempdir", str(opened))

    assert enter_scratch() == opened
    own = Path(tempfile.gettempdir())
    assert own.parent == opened
    note_start()
    assert not clear_after(opened, os.getpid() + 1)
    assert clear_after(opened, os.getpid())
    assert not own.exists()


def test_worker_without_a_parent_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert enter_scratch() is None
    note_start()
    assert list(tmp_path.iterdir()) == []


def test_one_worker_at_a_time_is_in_the_block(area: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(open_scratch()))
    assert enter_scratch()
    program = (
        "import sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from serving.scratch import only_one_worker\n"
        "with only_one_worker('name'): print('in', flush=True); input()"
    )
    command = [sys.executable, "-c", program, tempfile.gettempdir()]
    with (
        only_one_worker("name"),
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE) as other,
        ThreadPoolExecutor() as pool,
    ):
        assert other.stdout
        entered = pool.submit(other.stdout.readline)
        assert not wait([entered], timeout=1).done
        other.kill()
    assert entered.result() == b""

    # What has been killed is in no block.
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"in\n"
        other.kill()
    with only_one_worker("name"):
        pass
