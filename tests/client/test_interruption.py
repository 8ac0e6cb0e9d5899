"""A client that ends too early or cannot write: Ctrl-C, kill -9, a full disk."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.conftest import Ran
from tests.client.serving import (
    PROGRAM,
    TEXT,
    api,
    environment,
    ran,
    speaking,
    started,
    until,
    without_progress,
)
from tests.server import SECONDS

Run = Callable[..., Ran]


def recordings(folder: Path, count: int) -> list[Path]:
    """So many recordings, each with a content of its own."""
    paths = [folder / f"{number:02}.mp3" for number in range(count)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_ctrl_c_cancels_what_is_running(tmp_path: Path) -> None:
    recordings(tmp_path, 4)
    fake = speaking(gate=2)
    with api(fake) as url:
        process = started(tmp_path, "-j", "2", "--url", url)
        until(lambda: fake.started == 4)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=SECONDS)
        assert fake.cancelled.wait(SECONDS)
    assert (process.returncode, out) == (130, b"")
    summary, last = without_progress(errors.decode()).splitlines()
    assert summary.startswith("2 done in ")
    assert last == "interrupted; run it again to go on"
    assert len(list(tmp_path.glob("*.txt"))) == 2


def test_killed_and_run_again_sends_what_is_not_done(tmp_path: Path) -> None:
    paths = recordings(tmp_path, 20)
    fake = speaking(gate=7)
    with api(fake) as url:
        process = started(tmp_path, "-j", "1", "--url", url)
        until(lambda: fake.started == 8)
        process.kill()
        process.communicate(timeout=SECONDS)
        assert len(list(tmp_path.glob("*.txt"))) == 7
        fake.gate, fake.calls[:] = None, []
        assert ran(tmp_path, "--url", url)[0] == 0
    assert len(fake.calls) == 13
    assert {path.name for path in tmp_path.iterdir()} == {
        each.name for path in paths for each in (path, path.with_suffix(".txt"))
    }


def test_two_clients_in_one_folder(tmp_path: Path) -> None:
    paths = recordings(tmp_path, 12)
    with api(speaking()) as url:
        both = [started(tmp_path, "-f", "all", "--url", url) for _ in range(2)]
        for process in both:
            process.communicate(timeout=SECONDS)
    assert [process.returncode for process in both] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 12 * 6
    for path in paths:
        assert path.with_suffix(".txt").read_text("utf-8").split() == TEXT.split()
        assert json.loads(path.with_suffix(".json").read_text("utf-8"))["text"] == TEXT


def test_full_disk_fails_that_file_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings(tmp_path, 3)
    real, calls = os.fsync, list[int]()

    def full(file: int) -> None:
        calls.append(file)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file)

    monkeypatch.setattr(os, "fsync", full)
    with api(speaking()) as url:
        status, _, errors = run(tmp_path, "-f", "srt", "-f", "vtt", "-j", "1", "--url", url)
    assert status == 1
    assert f"error: {tmp_path / '00.mp3'}: No space left on device" in errors
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".mp3") == [
        *("01.srt", "01.vtt", "02.srt", "02.vtt"),
    ]


def test_output_folder_that_cannot_be_made(run: Run, recording: Path) -> None:
    (out := recording.with_name("out")).write_text("a file", encoding="utf-8")
    with api(speaking()) as url:
        status, _, errors = run(recording, "-o", out, "--url", url)
    assert status == 1
    assert f"error: {recording}: " in errors
    assert out.read_text(encoding="utf-8") == "a file"


def test_reader_that_has_read_enough(recording: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with api(speaking()) as url:
        command = [*PROGRAM, str(recording), "--url", url]
        done = subprocess.run(
            command,
            stdout=write,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=SECONDS,
            check=False,
        )
    os.close(write)
    assert (done.returncode, without_progress(done.stderr.decode())) == (1, "")


@pytest.mark.parametrize("words", ["--help", "--version", "jobs --help", "transcribe --help"])
@pytest.mark.parametrize("program", ["client", "cli"])
def test_help_that_nobody_reads(program: str, words: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", program, *words.split()],
        stdout=write,
        stderr=subprocess.PIPE,
        # Held back until the end, as by default.
        env=environment(PYTHONUNBUFFERED=""),
        timeout=SECONDS,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it is Linux's")
def test_help_on_a_full_disk_is_a_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode() == "error: [Errno 28] No space left on device\n"


def test_watch_sends_what_is_there_and_what_comes(tmp_path: Path) -> None:
    (before := tmp_path / "before.mp3").write_bytes(b"before")
    (tmp_path / "notes.txt").write_bytes(b"not a recording")
    with api(fake := speaking()) as url:
        process = started("watch", tmp_path, "--url", url)
        until(before.with_suffix(".txt").exists)
        (later := tmp_path / "later.mp3").write_bytes(b"later")
        until(later.with_suffix(".txt").exists)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert [audio for audio, _ in fake.calls] == [b"before", b"later"]
