"""A folder that is watched: recordings that come, once they have been copied there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from client.backend.request import Recording
from client.files.recordings import folder_recordings
from client.files.stamp import Stamp, stamp_of

# How long a file's size must not change before it is taken for whole.
REST_SECONDS = 2.0
_LOOK_SECONDS = 0.5


class Resting:
    """Tells which files have come to rest; each is told once, until it changes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Path, tuple[Stamp, float]] = {}
        self._told: dict[Path, Stamp] = {}

    def is_ready(self, path: Path) -> bool:
        """Whether the file has not changed for long enough, and has not been told so before."""
        stamp, now = stamp_of(path), self._clock()
        if stamp is None:
            return False
        seen, since = self._seen.get(path, (None, now))
        if seen != stamp:
            self._seen[path] = stamp, now
            return False
        if now - since < REST_SECONDS or self._told.get(path) == stamp:
            return False
        self._told[path] = stamp
        return True


async def arriving(
    folder: Path, take: Callable[[list[Recording]], None], *, recursive: bool
) -> AsyncIterator[Recording]:
    """The recordings in a folder, and those that come, without end.

    `take` is called with all that are there before one of them is given.
    """
    resting = Resting()
    while True:
        found = await asyncio.to_thread(folder_recordings, folder, recursive=recursive)
        ready = [each for each in found if resting.is_ready(each.path)]
        if ready:
            take(found)
        for recording in ready:
            yield recording
        await asyncio.sleep(_LOOK_SECONDS)
