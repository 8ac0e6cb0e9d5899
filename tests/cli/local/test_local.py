"""`--local`: the same files, lines and exit statuses as through a server."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from cli.local.local import Local
from client.__main__ import main
from client.backend.errors import GivenUpError
from client.backend.events import Event, Finished, Progress, Waiting
from client.backend.protocol import Tell
from client.backend.request import Recording, Request
from models.engine.engine import Engine
from models.errors import DecodingError, OverloadedError, SandboxError
from models.transcription.audio_input import AudioInput
from models.transcription.transcriber import Transcriber
from tests.api.fake import FakeTranscriber
from tests.cli.local.serving import OneModel, local_over
from tests.client.serving import BROKEN, SPOKEN, TEXT, Speaking, api, speaking, without_progress
from tests.speech_clips import FORMATS, clips, jfk

FORMAT_NAMES = ("txt", "srt", "vtt", "tsv", "json")
OPTIONS = (
    (),
    ("--word_timestamps", "True"),
    ("--max_line_width", "12", "--max_line_count", "1"),
    ("--max_words_per_line", "2", "--word_timestamps", "True"),
    ("--task", "translate"),
)
Ran = tuple[int, str, str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the client over a transcriber, through a server or in this process."""

    def run_client(transcriber: Transcriber | FakeTranscriber, *given: str | Path) -> Ran:
        arguments = [str(each) for each in given]
        if "--local" in arguments:
            status = main(arguments, {}, local_over(transcriber))
        else:
            # A transcriber of the tests and the real one have the same methods.
            with api(transcriber) as url:  # type: ignore[arg-type]
                status = main([*arguments, "--url", url], {})
        captured = capsys.readouterr()
        return status, captured.out, without_progress(captured.err)

    return run_client


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_files_are_those_of_a_server(
    run: Callable[..., Ran], tmp_path: Path, options: tuple[str, ...]
) -> None:
    (recording := tmp_path / "talk.mp3").write_bytes(b"sound")
    asked = (recording, "-f", "all", *options)
    assert run(speaking(), *asked, "-o", tmp_path / "remote")[0] == 0
    assert run(speaking(), *asked, "-o", tmp_path / "local", "--local")[0] == 0
    files = contents(tmp_path / "local")
    assert files == contents(tmp_path / "remote")
    assert sorted(files) == sorted(f"talk.{name}" for name in FORMAT_NAMES)


def test_files_of_speech_are_those_of_a_server(
    run: Callable[..., Ran], engine: Callable[[str], Engine], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    chosen = [jfk(), *clips(language="de")[:1], *clips(kind="noise")[:1]]
    for clip in chosen:
        shutil.copy(clip.path, tmp_path / "in" / clip.path.name)
    shutil.copy(next(FORMATS.glob("*.mp3")), tmp_path / "in")
    asked = (tmp_path / "in", "-f", "all", "--word_timestamps", "True", "--max_line_width", "30")
    with closing(AudioInput.beside(0)) as audio:
        transcriber = Transcriber(engine("base"), audio=audio)
        assert run(transcriber, *asked, "-o", tmp_path / "remote")[0] == 0
        assert run(transcriber, *asked, "-o", tmp_path / "local", "--local")[0] == 0
    files = contents(tmp_path / "local")
    assert files == contents(tmp_path / "remote")
    assert "ask not what your country" in files["jfk.json"].decode()
    assert len(files) == 5 * len(list((tmp_path / "in").iterdir()))


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--language", "klingon"), 2),
        (("--temperature", "3"), 2),
        (("--compression_ratio_threshold", "much"), 2),
        (("--max_line_width", "0", "-f", "srt"), 2),
        (("--json-lines",), 0),
        ((), 0),
    ],
)
def test_what_a_server_refuses_is_refused_in_its_words(
    run: Callable[..., Ran], tmp_path: Path, options: tuple[str, ...], status: int
) -> None:
    (recording := tmp_path / "talk.mp3").write_bytes(b"sound")
    remote = run(speaking(), recording, *options)
    local = run(speaking(), recording, *options, "--local")
    assert (local[0], remote[0]) == (status, status)
    if "--json-lines" not in options:
        assert local == remote
    else:
        assert json.loads(local[1])["text"] == json.loads(remote[1])["text"] == TEXT


def test_one_bad_file_is_a_line_and_the_rest_goes_on(
    run: Callable[..., Ran], tmp_path: Path
) -> None:
    for number in range(4):
        (tmp_path / f"{number}.mp3").write_bytes(b"sound")
    (bad := tmp_path / "1.mp3").write_bytes(BROKEN)
    gone = tmp_path / "gone.mp3"
    status, out, errors = run(speaking(), tmp_path, gone, "-j", "2", "--local")
    assert (status, out) == (1, "")
    *lines, summary = errors.splitlines()
    assert sorted(lines) == sorted(
        [
            f"error: {bad}: The file is not audio of a known format.",
            f"error: {gone}: No such file or directory",
        ]
    )
    assert summary.startswith("3 done, 2 failed in ")
    assert len(list(tmp_path.glob("*.txt"))) == 3


def events_of(transcriber: FakeTranscriber, path: Path, *, retries: int = 2) -> list[Event]:
    """The events of a recording, of which none is waited for."""

    async def all_of_them() -> list[Event]:
        local = Local(OneModel(transcriber), retries=retries)
        recording = Recording(path, path.name, Path(path.name))
        return [each async for each in local.transcribe(recording, Request())]

    return asyncio.run(all_of_them())


def test_progress_is_told_and_the_transcript_is_the_last_event(tmp_path: Path) -> None:
    (path := tmp_path / "talk.mp3").write_bytes(b"sound" * 16_000)
    first, *_, last = events_of(speaking(), path)
    assert first == Progress(position=0, done=0.0, total=5.0, seconds_left=None)
    assert isinstance(last, Finished)
    assert last.transcript.text == TEXT


def test_what_is_busy_with_nothing_else_fails_as_often_as_it_may(
    run: Callable[..., Ran], tmp_path: Path
) -> None:
    (path := tmp_path / "talk.mp3").write_bytes(b"sound")
    events = events_of(speaking(busy=1), path, retries=1)
    waited = [each for each in events if isinstance(each, Waiting)]
    assert waited == [Waiting(1.0, "There is no room at present.")]
    assert isinstance(events[-1], Finished)
    # It never fits the device.
    asked = (path, "--local", "--retries", "0", "--progress", "none")
    said = f"error: {path}: There is no room at present.\n"
    assert run(speaking(busy=99), *asked) == (1, "", said)


class Failing(Speaking):
    """Fails as often as it has errors left."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__(SPOKEN)
        self.errors = list(errors)

    async def work(self, number: int, stats: object) -> None:
        """Fail before the first segment."""
        if number == 0 and self.errors:
            raise self.errors.pop()


def test_what_is_no_fault_of_the_recording_is_tried_again(
    run: Callable[..., Ran], tmp_path: Path
) -> None:
    (path := tmp_path / "talk.mp3").write_bytes(b"sound")
    failing = Failing(DecodingError("It failed."), SandboxError("It was ended."))
    assert run(failing, path, "--local", "--progress", "none") == (0, f"{TEXT}\n", "")
    failing.errors = [DecodingError("It failed.")]
    asked = (path, "--local", "--retries", "0", "--progress", "none")
    assert run(failing, *asked) == (1, "", f"error: {path}: It failed.\n")


def test_a_fault_of_ours_is_a_line(run: Callable[..., Ran], tmp_path: Path) -> None:
    (path := tmp_path / "talk.mp3").write_bytes(b"sound")
    failing = Failing(ValueError("of two\nlines"))
    status, _, errors = run(failing, path, "--local", "--progress", "none")
    assert (status, errors) == (1, f"error: {path}: internal error: ValueError: of two lines\n")


class Crowded(Speaking):
    """Has no memory for a recording until another one, which is there already, is done."""

    def __init__(self) -> None:
        super().__init__(SPOKEN)
        self.is_full, self.is_refused = asyncio.Event(), asyncio.Event()

    async def work(self, number: int, stats: object) -> None:
        """Hold the first recording until the second has been refused once."""
        if number or self.is_refused.is_set():
            return
        if self.is_full.is_set():
            self.is_refused.set()
            raise OverloadedError("No memory for a window.", 0.0)
        self.is_full.set()
        await self.is_refused.wait()


@pytest.mark.parametrize("wait_seconds", [None, 60.0])
def test_a_window_without_memory_waits_for_what_has_it(
    tmp_path: Path, wait_seconds: float | None
) -> None:
    (path := tmp_path / "talk.mp3").write_bytes(b"sound")

    async def both() -> tuple[Event, ...]:
        crowded = OneModel(Crowded())
        local = Local(crowded, retries=0, wait_seconds=wait_seconds)
        recording = Recording(path, path.name, Path(path.name))

        async def last() -> Event:
            return [each async for each in local.transcribe(recording, Request())][-1]

        return await asyncio.gather(last(), last())

    assert all(isinstance(each, Finished) for each in asyncio.run(both()))


def test_what_does_not_wait_says_so(tmp_path: Path) -> None:
    (path := tmp_path / "talk.mp3").write_bytes(b"sound")

    async def asked() -> None:
        local = Local(OneModel(speaking(busy=99)), retries=99, wait_seconds=0.0)
        recording = Recording(path, path.name, Path(path.name))
        async for _ in local.transcribe(recording, Request()):
            pass

    with pytest.raises(GivenUpError, match="waited as long as --timeout says"):
        asyncio.run(asked())


def test_no_model_is_loaded_for_a_file_that_is_not_there(tmp_path: Path) -> None:
    models = OneModel(speaking())

    @asynccontextmanager
    async def opened(
        tell: Tell, *, retries: int, wait_seconds: float | None
    ) -> AsyncIterator[Local]:
        yield Local(models, retries=retries, wait_seconds=wait_seconds)

    asked = [str(tmp_path / "gone.mp3"), "--local", "--progress", "none"]
    assert main(asked, {}, opened) == 1
    assert models.uses == 0
    (tmp_path / "talk.mp3").write_bytes(b"sound")
    assert main([*asked, str(tmp_path / "talk.mp3")], {}, opened) == 1
    assert models.uses > 0


@pytest.mark.parametrize("option", ["--url", "--api-key", "--api-key-file"])
def test_a_server_beside_it_is_wrong_usage(run: Callable[..., Ran], option: str) -> None:
    status, _, errors = run(speaking(), "a.mp3", "--local", option, "http://127.0.0.1:1")
    assert (status, errors) == (2, f"error: --local has no server: leave out {option}\n")


def test_the_client_alone_has_no_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a.mp3", "--local"], {}) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: this client has no models, and so no --local: run ")
