"""Request stats: stage timings and counts, noted while a request runs (light: no torch)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

from models.audio_options import AudioTrack

# In the order in which a window goes through them: its audio is loaded, it waits for a slot, ...
StageName = Literal["load", "queue", "encode", "decode"]
STAGES: tuple[StageName, ...] = get_args(StageName)


@dataclass
class Stage:
    """Seconds that were a stage's, when it was first entered, and when it was last left.

    Times are those of `time.monotonic`.
    """

    seconds: float = 0.0
    began: float | None = None
    ended: float | None = None


@dataclass
class RequestStats:
    """A request's record: seconds by stage, audio and its track, windows, tokens.

    Windows run side by side, and so do their stages: each moment counts once, for the furthest
    stage that something of the request is in. So the stages together are never more than the
    whole. Any thread may `enter`; the counts are the engine's thread's.
    """

    began: float = field(default_factory=time.monotonic)
    audio_seconds: float = 0.0
    # None: the file has not been opened yet.
    track: AudioTrack | None = None
    first_segment_seconds: float | None = None
    windows: int = 0
    tokens: int = 0
    fallbacks: int = 0
    stages: dict[StageName, Stage] = field(
        default_factory=lambda: {name: Stage() for name in STAGES}
    )
    _inside: Counter[StageName] = field(default_factory=Counter, repr=False)
    _since: float = field(default=0.0, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def enter(self, left: StageName | None, entered: StageName | None) -> None:
        """Note that a window leaves one stage for another; None is outside of all."""
        with self._lock:
            now = time.monotonic()
            self._count(now)
            if left:
                self._inside[left] -= 1
                self.stages[left].ended = now
            if entered:
                self._inside[entered] += 1
                stage = self.stages[entered]
                stage.began = now if stage.began is None else stage.began

    def opened(self, track: AudioTrack) -> None:
        """Note the track that is being read, now that the file is open."""
        self.track = track

    def first_segment(self) -> None:
        """Note the time to the first segment."""
        if self.first_segment_seconds is None:
            self.first_segment_seconds = time.monotonic() - self.began

    def _count(self, now: float) -> None:
        furthest = next((name for name in reversed(STAGES) if self._inside[name]), None)
        if furthest:
            self.stages[furthest].seconds += now - self._since
        self._since = now
