"""Audio of a turn: what is kept of it, and the last seconds of a session before any turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from models.audio.samples import Samples
from models.live.pcm import Pcm

_SCALE = np.float32(32768)


class TurnAudio:
    """A turn's samples from `first` to `end`; both count from the turn's beginning.

    `on_drop` is called when earlier ones are forgotten, which makes room for more.
    """

    def __init__(self) -> None:
        self.on_drop: Callable[[], None] | None = None
        self.first = self.end = 0
        self._pieces: deque[Pcm] = deque()

    @property
    def length(self) -> int:
        """The samples that are kept."""
        return self.end - self.first

    def append(self, piece: Pcm) -> None:
        """More of it."""
        self._pieces.append(piece)
        self.end += len(piece)

    def put_before(self, piece: Pcm) -> None:
        """Sound that lies before its first sample."""
        self._pieces.appendleft(piece)
        self.first -= len(piece)

    def drop_before(self, place: int) -> None:
        """Forget what lies before."""
        while self._pieces and self.first < place:
            piece = self._pieces.popleft()
            if self.first + len(piece) > place:
                # A copy: a view would keep all of it.
                self._pieces.appendleft(piece[place - self.first :].copy())
                self.first = place
            else:
                self.first += len(piece)
        if self.on_drop:
            self.on_drop()

    def drop_behind(self, place: int) -> None:
        """Forget what lies behind."""
        while self._pieces and self.end > place:
            piece = self._pieces.pop()
            self.end -= len(piece)
            if self.end < place:
                self.append(piece[: place - self.end].copy())

    def samples(self, end: int, first: int | None = None) -> Samples:
        """Those up to `end`, float32 in [-1, 1]; from `first` on, or all that are kept."""
        return self.pcm(end, first).astype(np.float32) / _SCALE

    def pcm(self, end: int, first: int | None = None) -> Pcm:
        """The same as they came."""
        start = self.first
        first = start if first is None else first
        parts = [np.zeros(0, np.int16)]
        for piece in self._pieces:
            if start >= end:
                break
            if start + len(piece) > first:
                parts.append(piece[max(0, first - start) : end - start])
            start += len(piece)
        return np.concatenate(parts)


class RecentAudio:
    """The last samples of a session, as many as a turn may begin with."""

    def __init__(self) -> None:
        self._audio = TurnAudio()

    @property
    def end(self) -> int:
        """The place in the session behind them."""
        return self._audio.end

    def append(self, piece: Pcm, keep: int) -> None:
        """The next ones; of those before at least `keep` stay."""
        self._audio.append(piece)
        # Now and then, as this costs a copy.
        if self._audio.length > 2 * keep:
            self._audio.drop_before(self._audio.end - keep)

    def since(self, place: int) -> Pcm:
        """Those from a place of the session on, as far as they are kept."""
        return self._audio.pcm(self._audio.end, place)
