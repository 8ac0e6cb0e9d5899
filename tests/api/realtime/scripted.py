"""A live session without a model: it says what the test says, in the order of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from models.errors import EmptyBufferError
from models.live.events import Cleared, Committed, Completed, Delta, LiveEvent, Reply
from models.live.live_options import LiveOptions
from models.request_stats import RequestStats, Stage

# 100 ms of 24,000 samples a second.
LEAST_BYTES = 4800


@dataclass
class ScriptedSession:
    """Each commit is a turn whose text is how many bytes of audio it has.

    With `hold`, turns are completed when `release` is called; `full`, there is no room for audio
    any more; `broken`, it cannot be opened; `stuck`, it never finishes. `decoded_at_the_end` are
    seconds of the engine before it is closed. `tell` is what detection would find.
    """

    options: LiveOptions
    hold: bool = False
    failure: Exception | None = None
    full: bool = False
    broken: bool = False
    stuck: bool = False
    decoded_at_the_end: float = 0.0
    configured: list[LiveOptions] = field(default_factory=list)
    appended: list[bytes] = field(default_factory=list)
    closed: int = 0
    finished: bool = False

    def __post_init__(self) -> None:
        if self.broken:
            raise RuntimeError("secret detail")
        self._events: asyncio.Queue[LiveEvent | None] = asyncio.Queue()
        self._open = 0
        self._turn = 0
        self._held: list[LiveEvent] = []
        self._taken: dict[str, RequestStats] = {}

    @property
    def seconds(self) -> float:
        """All audio, as of 24,000 samples a second."""
        return sum(map(len, self.appended)) / 48_000

    def take_stats(self) -> Mapping[str, RequestStats]:
        """What was decoded since the last time."""
        taken, self._taken = self._taken, {}
        return taken

    def decode(self, seconds: float) -> None:
        """Let the engine decode for so long."""
        own = self._taken.setdefault(self.options.model or "", RequestStats())
        own.add(_decoded(seconds))

    def configure(self, options: LiveOptions) -> None:
        """Note the options."""
        self.configured.append(options)
        self.options = options

    def append(self, audio: bytes) -> None:
        """Note the audio, or fail."""
        if self.failure:
            raise self.failure
        self.appended.append(audio)
        self._open += len(audio)

    async def room(self) -> None:
        """Wait for ever, if it is full."""
        if self.full:
            await asyncio.Future()

    def commit(self) -> None:
        """A turn of all that was appended."""
        if self._open < LEAST_BYTES:
            raise EmptyBufferError("The buffer has less than 100 ms of audio.")
        turn, text, self._turn = self._turn, f"{self._open} bytes", self._turn + 1
        seconds, self._open = self._open / 48_000, 0
        has_text = self.options.model is not None
        self.tell(Committed(turn, has_text))
        if not has_text:
            return
        over: list[LiveEvent] = [
            Delta(turn, text, lag=0.5),
            Completed(turn, text, "en", seconds, 10, 3),
        ]
        self.decode(2.0)
        self._held += over
        if not self.hold:
            self.release()

    def clear(self) -> None:
        """Drop what is not committed."""
        self._open = 0
        self.tell(Cleared())

    def tell(self, event: LiveEvent | None) -> None:
        """Let this happen; None: it ends."""
        self._events.put_nowait(event)

    def reply(self, reply: object) -> None:
        """Put it behind what has happened."""
        self.tell(Reply(reply))

    def release(self) -> None:
        """Complete the turns that are held."""
        for event in self._held:
            self.tell(event)
        self._held.clear()

    async def events(self) -> AsyncIterator[LiveEvent]:
        """What happens."""
        while (event := await self._events.get()) is not None:
            yield event

    async def finish(self) -> None:
        """Complete what is open."""
        self.finished = True
        if self.stuck:
            await asyncio.Future()
        if self._open >= LEAST_BYTES:
            self.commit()
        self.release()
        self.tell(None)

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1
        if self.decoded_at_the_end:
            self.decode(self.decoded_at_the_end)


def _decoded(seconds: float) -> RequestStats:
    """Stats of a turn that was decoded for so long."""
    stats = RequestStats(windows=1, tokens=3)
    stats.stages["decode"] = Stage(seconds, began=stats.began, ended=stats.began + seconds)
    return stats
