"""Request stats: stage timings and counts, noted while a request runs (light: no torch)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from models.audio_options import AudioTrack

# In the order in which a window goes through them: its audio is loaded, it waits for a slot, ...
StageName = Literal["load", "queue", "encode", "decode"]
STAGES: tuple[StageName, ...] = get_args(StageName)

OnSamples = Callable[[int, Any], None]


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

    `tokens` were decoded; `prompt_tokens` are those of the prompt and keywords, as far as they fit.

    Windows run side by side, and so do their stages: each moment counts once, for the furthest
    stage that something of the request is in. So the stages of windows that are noted by `enter`
    are together never more than the whole. Any thread may `enter`; the counts are the engine's
    thread's.
    """

    began: float = field(default_factory=time.monotonic)
    # Read so far; done: what lies before the ends of the windows that are through.
    audio_seconds: float = 0.0
    done_seconds: float = 0.0
    is_read: bool = False
    # Called by the reader with each piece, and the place of its first sample, if anybody asks.
    on_samples: OnSamples | None = None
    # None: the file has not been opened yet.
    track: AudioTrack | None = None
    first_segment_seconds: float | None = None
    windows: int = 0
    tokens: int = 0
    prompt_tokens: int = 0
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

    def add(self, other: RequestStats) -> None:
        """Add what a part of the request came to, which is over.

        Parts that ran side by side count each for itself.
        """
        self.windows += other.windows
        self.tokens += other.tokens
        self.fallbacks += other.fallbacks
        with self._lock:
            for name, stage in other.stages.items():
                own = self.stages[name]
                own.seconds += stage.seconds
                own.began = min(_known(own.began, stage.began), default=None)
                own.ended = max(_known(own.ended, stage.ended), default=None)

    @property
    def is_running(self) -> bool:
        """True while a window is in a stage."""
        with self._lock:
            return any(self._inside.values())

    def snapshot(self) -> RequestStats:
        """A copy of the counts and stages up to now."""
        with self._lock:
            self._count(time.monotonic())
            stages = {name: replace(stage) for name, stage in self.stages.items()}
        return RequestStats(
            began=self.began,
            windows=self.windows,
            tokens=self.tokens,
            fallbacks=self.fallbacks,
            stages=stages,
        )

    def since(self, before: RequestStats) -> RequestStats:
        """What has come since an earlier snapshot, of a later one."""
        stages = {
            name: replace(stage, seconds=stage.seconds - before.stages[name].seconds)
            for name, stage in self.stages.items()
        }
        return RequestStats(
            began=self.began,
            windows=self.windows - before.windows,
            tokens=self.tokens - before.tokens,
            fallbacks=self.fallbacks - before.fallbacks,
            stages=stages,
        )

    def _count(self, now: float) -> None:
        furthest = next((name for name in reversed(STAGES) if self._inside[name]), None)
        if furthest:
            self.stages[furthest].seconds += now - self._since
        self._since = now


def _known(*times: float | None) -> list[float]:
    return [each for each in times if each is not None]
