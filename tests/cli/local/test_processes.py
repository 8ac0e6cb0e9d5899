"""`--local` in processes of its own: stored models, Ctrl-C, kill -9, and what stays behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.client.serving import environment, until, without_progress
from tests.own_store import own_store, saved
from tests.process_tree import family, is_alive
from tests.server import PROJECT, SECONDS
from tests.speech_clips import jfk
from tests.transcribing import recording

PROGRAM = [sys.executable, "-m", "cli"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with a tiny model, `mine`."""
    with own_store(tmp_path / "home") as path:
        saved()
    return path


def started(home: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
    """The command in a process that goes on, with `mine` as the default model."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments), "--local"],
        cwd=PROJECT,
        env=environment(
            BENTOML_HOME=str(home), WHISPER_DEFAULT_MODEL="mine", WHISPER_DTYPE="float32"
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Who starts the tests in the background may have had it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Exit status, output and errors."""
    out, errors = process.communicate(timeout=SECONDS)
    return process.returncode, out.decode(), without_progress(errors.decode())


def test_a_stored_model_transcribes(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, printed, errors = ended(started(home, jfk().path, "-f", "all", "-o", out))
    assert (status, printed) == (0, "")
    assert errors.splitlines()[0] == "loading mine"
    names = [f"jfk.{each}" for each in ("json", "srt", "tsv", "txt", "vtt")]
    assert sorted(path.name for path in out.iterdir()) == names


def test_a_file_that_is_no_audio_fails_alone(home: Path, tmp_path: Path) -> None:
    (bad := tmp_path / "bad.mp3").write_bytes(b"this is a text")
    status, _, errors = ended(started(home, bad, jfk().path, "-o", tmp_path / "out"))
    assert status == 1
    assert f"error: {bad}: " in errors
    assert (tmp_path / "out" / "jfk.txt").exists()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("tiny.en", "tiny.en is not in the model store: import it with `whisper-bento import "),
        ("openai/whisper-small", "small is not in the model store: import it with "),
        ("yours", "there is no model 'yours'; in the model store: mine"),
    ],
)
def test_weights_that_are_not_there(home: Path, model: str, said: str) -> None:
    status, out, errors = ended(started(home, jfk().path, "--model", model))
    assert (status, out) == (3, "")
    [line] = errors.splitlines()
    assert line.startswith(f"error: {said}")


def test_a_malformed_setting_is_a_line(home: Path) -> None:
    process = subprocess.run(
        [*PROGRAM, str(jfk().path), "--local"],
        cwd=PROJECT,
        env=environment(BENTOML_HOME=str(home), WHISPER_THREADS="many"),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    [line] = process.stderr.decode().splitlines()
    assert (process.returncode, line.startswith("error: WHISPER_THREADS='many': ")) == (2, True)


def working(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The process and those that read a recording for it, once there are any."""
    until(lambda: process.poll() is not None or len(family(process.pid)) > 2)
    return family(process.pid)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=lambda each: each.name)
def test_nothing_stays_behind(home: Path, tmp_path: Path, sent: signal.Signals) -> None:
    (long := tmp_path / "long.flac").write_bytes(recording(1800).getvalue())
    process = started(home, long, "-f", "txt")
    running = working(process)
    process.send_signal(sent)
    status, out, errors = ended(process)
    assert (status, out) == (130 if sent is signal.SIGINT else -sent, "")
    if sent is signal.SIGINT:
        assert errors.splitlines()[-1] == "interrupted; run it again to go on"
    until(lambda: not any(map(is_alive, running)))
    assert [path.name for path in tmp_path.glob("long*")] == ["long.flac"]
