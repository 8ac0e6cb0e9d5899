"""A container without network, rights and a writable root: what is served, and how it ends."""

from __future__ import annotations

import ctypes
import json
import re
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.page.files import page_files
from models.audio.sandbox.landlock import landlock_version
from models.checkpoints.weights import Weights
from tests.image.container import URL, Container, running, wait_until_ready
from tests.image.workshop import Workshop
from tests.operation.homes import own_home
from tests.operation.processes import eventually
from tests.process_tree import family, memory, of_each
from tests.server import Server, serving
from tests.speech_clips import BROKEN, FORMATS, Clip, clips, jfk

MEGABYTE = 1e6
LONGEST_SECONDS = 300
GERMAN = next(clip for clip in clips(language="de") if not clip.is_long)
REACH = ("python", "-m", "tests.image.reach")


@pytest.fixture(scope="module")
def outside(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of the checkout, without a container."""
    weights("base")
    folder = tmp_path_factory.mktemp("outside")
    with serving(folder / "output.txt", BENTOML_HOME=own_home(folder)) as server:
        yield server


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    """Four minutes of speech, which take their time."""
    path = tmp_path / "minutes.wav"
    with wave.open(str(FORMATS / "jfk-16k.wav")) as clip, wave.open(str(path), "wb") as made:
        made.setparams(clip.getparams())
        made.writeframes(clip.readframes(clip.getnframes()) * 22)
    return path


def transcribe(url: str, path: Path) -> httpx.Response:
    with path.open("rb") as file:
        return httpx.post(
            f"{url}/v1/audio/transcriptions",
            files={"file": file},
            data={"model": "whisper-1"},
            timeout=LONGEST_SECONDS,
        )


@pytest.mark.parametrize("path", ["/readyz", "/livez"])
def test_probes_say_yes(container: Container, path: str) -> None:
    assert container.get(path).status_code == 200


@pytest.mark.parametrize("path", page_files())
def test_pages_are_those_of_the_checkout(container: Container, path: str) -> None:
    assert container.get(path).content == page_files()[path].body


def test_the_health_check_says_yes(container: Container) -> None:
    # Its exit status is that of the check.
    container.workshop.run("podman", "healthcheck", "run", container.name)


def test_all_of_it_runs_as_the_user_with_the_number(container: Container) -> None:
    assert container.execute("id", "-u") == "1034"
    assert set(of_each(family(container.pid), lambda each: each.uids().real)) == {1034}


def test_nothing_can_be_written_but_temporary_files(container: Container) -> None:
    script = "for d in / /app/.venv /home/bentoml/bento /home/bentoml/bento/src /var/tmp; do "
    script += "touch $d/x 2>/dev/null && echo $d; done; touch /tmp/x && rm /tmp/x"

    assert container.execute("sh", "-c", script) == ""


def words(text: str) -> list[str]:
    """The words alone: each server picks its number formats by trial, and they may cost a comma."""
    return re.findall(r"\w+", text)


@pytest.mark.parametrize("clip", [jfk(), GERMAN], ids=str)
def test_the_text_is_that_of_a_server_outside(
    container: Container, outside: Server, clip: Clip
) -> None:
    inside = container.ask(transcribe, URL, clip.path)
    there = words(transcribe(outside.url, clip.path).json()["text"])

    assert inside.status_code == 200
    assert words(inside.json()["text"]) == there
    assert there


def test_it_holds_as_much_memory_as_outside(
    container: Container, outside: Server, measured: list[str]
) -> None:
    container.ask(transcribe, URL, jfk().path)
    transcribe(outside.url, jfk().path)

    here, there = memory(container.pid), memory(outside.process.pid)
    measured.append(f"resident memory after a transcription: {here / MEGABYTE:.0f} MB")
    measured.append(f"  of a server outside: {there / MEGABYTE:.0f} MB")
    assert here < 1.3 * there


def test_recordings_are_read_by_processes_that_reach_nothing(container: Container) -> None:
    said = json.loads(container.execute("env", "PYTHONPATH=/checkout", *REACH))

    landlock = landlock_version(ctypes.CDLL(None))
    attempts = set(said) - {"environment", "threads", "descriptors", "signal its parent"}
    if not landlock:
        attempts -= {"truncate", "rename", "unlink", "make a folder"}
    assert [name for name in attempts if said[name] == "done"] == []
    assert said["descriptors"] == "0 1 2"


@pytest.mark.parametrize("path", sorted(BROKEN.iterdir()), ids=lambda path: path.name)
def test_bad_audio_is_a_400(container: Container, path: Path) -> None:
    assert container.ask(transcribe, URL, path).status_code == 400


def test_sigterm_lets_a_transcription_finish(workshop: Workshop, image: str, minutes: Path) -> None:
    settings = ["--env=WHISPER_ALLOW_ANYONE=true", "--env=WHISPER_SHUTDOWN_SECONDS=300"]
    with running(workshop, image, *settings) as container:
        wait_until_ready(container)
        whole = container.begin(transcribe, URL, minutes)
        assert eventually(lambda: container.get("/health").json()["queue"]["running"] == 1)
        workshop.run("podman", "kill", "--signal=TERM", container.name)

        assert eventually(lambda: container.get("/readyz").status_code == 503)
        assert not whole.done()
        assert whole.result().status_code == 200
        assert whole.result().json()["text"].count("country") > 2
        assert eventually(lambda: not container.state["Running"])
        assert container.state["ExitCode"] == 0


def test_without_keys_it_does_not_start_unless_it_is_told_so(
    workshop: Workshop, image: str
) -> None:
    with running(workshop, image) as container:
        assert eventually(lambda: not container.state["Running"])
        assert container.state["ExitCode"] == 1
        assert "set WHISPER_API_KEYS, WHISPER_API_KEYS_FILE or" in container.printed
        assert "Traceback" not in container.printed
