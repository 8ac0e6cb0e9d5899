"""Many recordings, some of them at once, each to its end whatever becomes of the others."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from client.backend.errors import RecordingError
from client.backend.events import Finished
from client.backend.outcome import Outcome
from client.backend.protocol import Backend
from client.backend.request import Format, Recording, Request
from client.backend.transcript import Transcript
from client.files.archive import Archive, digest_of
from client.files.outputs import are_done, write_all
from client.files.stamp import Stamp, stamp_of
from client.terminal.colors import colored
from client.terminal.display import Display

Files = Mapping[Format, Path]
# The text may be in colours of confidence.
Printed = Format | Literal["text", "colored"]


@dataclass(frozen=True)
class Work:
    """What is done with each recording.

    `files` says where its outputs go, of which there may be none; `printed` is what goes to
    standard output. `jobs` recordings are worked on at once.
    """

    request: Request
    files: Callable[[Recording], Files]
    printed: Printed | None = None
    jobs: int = 4
    overwrite: bool = False
    archive: Archive | None = None

    def keeps(self, recording: Recording) -> bool:
        """Whether something stays by which a later run knows that it is done."""
        return bool(self.files(recording)) or self.archive is not None

    def is_done(self, recording: Recording) -> bool:
        """Whether all its outputs are there, and are to stay."""
        if recording.job is not None:
            return False
        outputs = self.files(recording).values()
        return bool(outputs) and not self.overwrite and are_done(recording.path, outputs)

    def check_places(self, recording: Recording) -> None:
        """Find out whether the outputs of a job have a place: nothing tells whose is there.

        Raises:
            RecordingError: there is a file already, which is not to be overwritten.
        """
        if recording.job is None or self.overwrite:
            return
        for path in self.files(recording).values():
            if os.path.lexists(path):
                raise RecordingError(f"{path} is there already: --overwrite replaces it")

    def stamp(self, recording: Recording) -> Stamp | None:
        """By which a change of the file is told; None: it is not there, or there is none."""
        return None if recording.job is not None else stamp_of(recording.path)


class Batch:
    """Carries out the work on recordings by a backend.

    `display` follows it, and `end` is called with each outcome, before the display has it.
    """

    def __init__(
        self, backend: Backend, work: Work, display: Display, end: Callable[[Outcome], None]
    ) -> None:
        self._backend, self._work = backend, work
        self._display, self._end = display, end
        self._places = asyncio.Semaphore(work.jobs)
        # A watched file that is replaced comes again, and may still be worked on.
        self._turns = defaultdict[Recording, asyncio.Lock](asyncio.Lock)

    async def run(self, recordings: AsyncIterator[Recording]) -> None:
        """Work on each as soon as there is a place.

        Raises:
            ClientError: nothing can be done, or what is asked for cannot; what is running is
                cancelled.
        """
        try:
            async with asyncio.TaskGroup() as group:
                async for recording in recordings:
                    await self._places.acquire()
                    group.create_task(self._to_its_end(recording))
        except BaseExceptionGroup as errors:
            # The first one ended the others.
            raise errors.exceptions[0] from None

    async def _to_its_end(self, recording: Recording) -> None:
        try:
            async with self._turns[recording]:
                outcome = await self._outcome_or_failure(recording)
                self._end(outcome)
                self._display.end(outcome)
        finally:
            self._places.release()

    async def _outcome_or_failure(self, recording: Recording) -> Outcome:
        try:
            return await self._outcome(recording)
        except (RecordingError, OSError) as error:
            return Outcome(recording, "failed", error=reason_of(error))

    async def _outcome(self, recording: Recording) -> Outcome:
        work = self._work
        if work.is_done(recording):
            return Outcome(recording, "skipped")
        work.check_places(recording)
        stamp = work.stamp(recording)
        digest = await digest_of(recording.path) if work.archive else ""
        if work.archive and work.archive.has(digest):
            return Outcome(recording, "skipped")
        began = time.monotonic()
        self._display.start(recording)
        transcript = await self._transcript(recording)
        if work.keeps(recording) and work.stamp(recording) not in (stamp, None):
            # What is kept would count as that of the new content.
            raise RecordingError("the file was changed while it was transcribed")
        work.check_places(recording)
        printed = await self._files(recording, transcript)
        if work.archive:
            work.archive.add(digest, recording.name)
        seconds = time.monotonic() - began
        speed = _speed(recording, transcript, seconds)
        return Outcome(recording, "done", transcript.text, printed, seconds=seconds, rtfx=speed)

    async def _transcript(self, recording: Recording) -> Transcript:
        async with aclosing(self._backend.transcribe(recording, self._work.request)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.transcript
                self._display.follow(recording, event)
        raise RecordingError("the answer ended before the transcript")

    async def _files(self, recording: Recording, transcript: Transcript) -> str:
        """Write its outputs; returns what is printed."""
        request, files = self._work.request, self._work.files(recording)
        texts = {
            path: await self._backend.written(transcript, name, request)
            for name, path in files.items()
        }
        write_all(texts)
        match self._work.printed:
            case None:
                return ""
            case "text":
                return f"{transcript.text}\n"
            case "colored":
                return f"{colored(transcript)}\n"
            case name:
                return await self._backend.written(transcript, name, request)


def _speed(recording: Recording, transcript: Transcript, seconds: float) -> float | None:
    """Seconds of audio per second, where that is known: a job was worked on before as well."""
    if transcript.duration is None or recording.job is not None:
        return None
    return transcript.duration / seconds


def reason_of(error: RecordingError | OSError) -> str:
    """What went wrong, without the name of the recording, which stands before it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
