"""Recordings that say what becomes of them, and engines that do as they say."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path
from typing import Any

from bulk.engine import Engine, EngineFacts, RowFile, Transcribed
from bulk.errors import AUDIO, UNAVAILABLE, RowError
from bulk.manifest import Manifest
from bulk.parts import lines_of, parts_of
from bulk.progress import Silent
from bulk.run import Run, Seen, Work
from bulk.shard import Shard
from bulk.tally import Tally
from client.backend.errors import NoServiceError, RecordingError, RefusedOptionError
from client.backend.events import Event, Finished
from client.backend.request import Format, Recording, Request
from client.backend.transcript import Transcript

# What a recording may have in it, and what it is for.
BROKEN, FAILING, GATED, SILENT = "broken", "failing", "gated", "silent"
KILLER, LOSING = "killer", "losing the device"
# An answer that JSON does not have.
NO_JSON = "no JSON"
TAG = "double:1"


def recordings(folder: Path, contents: Iterable[str]) -> list[Path]:
    """Files with these contents."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, content in enumerate(contents):
        paths.append(path := folder / f"{number:05}.wav")
        path.write_text(content, "utf-8")
    return paths


def manifest_of(path: Path, uris: Iterable[object], **members: Any) -> Path:
    """A manifest of these."""
    rows = ({"uri": str(uri), **members} for uri in uris)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


class FakeEngine:
    """Says each file's content; `calls` counts them by row. `gate` holds `GATED` ones until set."""

    def __init__(self, tag: str = TAG, in_flight: int = 4) -> None:
        self.tag, self.in_flight = tag, in_flight
        self.calls = Counter[str]()
        self.order: list[str] = []
        self.running = self.most = 0
        self.refused: str | None = None
        self.reached, self.gate = asyncio.Event(), asyncio.Event()

    async def start(self, request: Request) -> EngineFacts:
        """Nothing is to be found out."""
        return EngineFacts(self.tag, self.in_flight)

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The content of the file, or what it says."""
        self.calls[row_file.row_id] += 1
        self.order.append(row_file.row_id)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0)
            return await self._said(row_file)
        finally:
            self.running -= 1

    async def close(self) -> None:
        """Nothing is held."""

    async def _said(self, row_file: RowFile) -> Transcribed:
        if self.refused and ("temperature", self.refused) in row_file.request.fields:
            raise RefusedOptionError("temperature cannot be that")
        match text := row_file.path.read_text("utf-8"):
            case "broken":
                raise RowError(AUDIO, "it is no audio")
            case "failing":
                raise RowError(UNAVAILABLE, "not now")
            case "gated":
                self.reached.set()
                await self.gate.wait()
        files: dict[Format, str] = {name: f"{name}: {text}" for name in row_file.request.formats}
        return Transcribed(members_of(text), files)


def members_of(text: str) -> dict[str, Any]:
    """verbose_json's members of a text."""
    said = "" if text == SILENT else text
    return {"text": said, "language": "en", "duration": 2.0, "segments": [{"text": said}]}


class _Odd(Transcript):
    """Members that cannot be sent."""

    @property
    def members(self) -> dict[str, Any]:
        """They have bytes."""
        return {"text": "a", "language": b"en"}


class Reading:
    """A backend in an engine's process: a killer file ends it, each call is noted in a file."""

    def __init__(self, calls: Path) -> None:
        self._calls = calls

    async def check(self, request: Request) -> None:
        """`missing` is no model."""
        if request.model == "missing":
            raise NoServiceError("there is no model 'missing'")

    async def transcribe(
        self, recording: Recording, request: Request
    ) -> AsyncGenerator[Event, None]:
        """The content of the file."""
        with self._calls.open("a", encoding="utf-8") as calls:
            calls.write(f"{recording.path.name}\n")
        text = recording.path.read_text("utf-8")
        await asyncio.sleep(0.01)
        if text == KILLER:
            os.kill(os.getpid(), signal.SIGKILL)
        if text == LOSING:
            raise NoServiceError("the device is lost")
        while text == GATED:
            await asyncio.sleep(0.01)
            text = recording.path.read_text("utf-8")
        if text == BROKEN:
            raise RecordingError("it is no audio")
        if text == NO_JSON:
            yield Finished(_Odd("{}"))
            return
        yield Finished(Transcript(json.dumps(members_of(text))))

    async def written(self, transcript: Transcript, name: Format, request: Request) -> str:
        """The text."""
        return transcript.text


def run_of(work: Work, engine: Callable[[Seen], Engine] | Engine) -> Run:
    """A run that shows nothing; it ends as `Run.through` does."""
    made: Callable[[Seen], Engine] = engine if callable(engine) else (lambda _: engine)
    return Run(work, made, lambda tally: Silent(io.StringIO(), tally))


def work_of(manifest: Path, folder: Path, **others: Any) -> Work:
    """The work of a manifest, without pauses between tries."""
    given = {"request": Request(), "pauses": (0.0, 0.0), "shard": Shard(), **others}
    return Work(manifest=Manifest(manifest), folder=folder, **given)


def results(folder: Path) -> list[dict[str, Any]]:
    """All results of a folder, whole."""
    return [json.loads(line) for name in parts_of(folder) for line, _ in lines_of(folder, name)]


def by_content(folder: Path) -> dict[str, dict[str, Any]]:
    """The results by the names of their files; each is there once."""
    found = results(folder)
    named = {Path(each["uri"]).name: each for each in found}
    assert len(named) == len(found)
    return named


def tally_of(run: Run) -> Tally:
    """What a run came to, after it went through."""
    run.through()
    return run.tally
