"""The real API over a transcriber without a model, on a socket, for the client to ask."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from starlette.types import ASGIApp

from api.settings import Settings
from models.errors import AudioError, OverloadedError
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import OnSegment, Transcript, Word
from tests.api.fake import FakeTranscriber, client, segment
from tests.server import PROJECT, SECONDS, listening

# What a recording may have in it, and what it is for.
BROKEN = b"this is a text"
PROGRAM = [sys.executable, "-m", "client"]
_PROGRESS = re.compile(r"[0-9]+( of [0-9]+)? ended: ")
TEXT = "The naïve wind and the sun."
SPOKEN = (
    replace(
        segment(0, 0.0, 2.0, " The naïve wind and"),
        words=(
            *(Word(" The", 0.0, 0.4, 0.5), Word(" naïve", 0.4, 1.0, 0.5)),
            *(Word(" wind", 1.0, 1.6, 0.5), Word(" and", 1.6, 2.0, 0.5)),
        ),
    ),
    replace(
        segment(1, 2.0, 3.6, " the sun."),
        words=(Word(" the", 2.0, 2.5, 0.5), Word(" sun.", 2.5, 3.6, 0.5)),
        no_speech_prob=1.5e-05,
    ),
)


@dataclass
class Speaking(FakeTranscriber):
    """Says the same of every recording but of `BROKEN` ones; the first `busy` find no room.

    With `gate` set, only so many recordings are worked on: others wait until they are cancelled.
    """

    busy: int = 0
    gate: int | None = None
    refused: int = 0
    started: int = 0
    cancelled: threading.Event = field(default_factory=threading.Event)

    async def transcribe(
        self,
        audio: BinaryIO,
        options: TranscribeOptions,
        on_segment: OnSegment | None = None,
        stats: RequestStats | None = None,
    ) -> Transcript:
        """The fixed transcript, or what is the matter."""
        if self.refused < self.busy:
            self.refused += 1
            raise OverloadedError("There is no room at present.", 1)
        content = audio.read()
        audio.seek(0)
        if content.startswith(BROKEN):
            raise AudioError("The file is not audio of a known format.")
        self.started += 1
        if self.gate is not None and self.started > self.gate:
            await self._cancelled()
        return await super().transcribe(audio, options, on_segment, stats)

    async def _cancelled(self) -> None:
        try:
            await asyncio.Future()
        finally:
            self.cancelled.set()


def speaking(*, busy: int = 0, gate: int | None = None) -> Speaking:
    """One that says `TEXT`."""
    return Speaking(SPOKEN, busy=busy, gate=gate)


def app_of(transcriber: FakeTranscriber, settings: Settings | None = None) -> ASGIApp:
    """The API with all that stands around it."""
    return client(transcriber, settings=settings).app


@contextmanager
def api(transcriber: FakeTranscriber, settings: Settings | None = None) -> Iterator[str]:
    """The address of a server, as users give it."""
    with listening(app_of(transcriber, settings)) as url:
        yield url


def ran(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path = PROJECT, **environ: str
) -> tuple[int, str, str]:
    """Exit status, output and errors of the client in a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=environment(**environ),
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode(), without_progress(done.stderr.decode())


def without_progress(errors: str) -> str:
    """The lines but for those that say how far it is, which a slow machine has more of."""
    return "".join(line for line in errors.splitlines(keepends=True) if not _PROGRESS.match(line))


def started(*arguments: str | Path, **environ: str) -> subprocess.Popen[bytes]:
    """The client in a process that goes on."""
    return subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=PROJECT,
        env=environment(**environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Who starts the tests in the background may have had it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until(condition: Callable[[], bool]) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def environment(**environ: str) -> dict[str, str]:
    """The environment without what others have set for clients."""
    names = ("WHISPER_URL", "OPENAI_BASE_URL", "OPENAI_API_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return {**kept, "PYTHONPATH": str(PROJECT), **environ}
