"""Timeline of decoded sound, by presentation timestamps: holes, overlaps, clock jumps."""

from __future__ import annotations

import math

# Shorter ones are what clocks in milliseconds, and codecs that begin with a part of a frame, make.
HOLE_SECONDS = 0.02
# Sound that comes so much too early is of another clock: joined files begin again.
_RESTART_SECONDS = 1.0
# As ffmpeg's -dts_error_threshold: no recording has such a hole, but broken clocks do.
LONGEST_SECONDS = 30 * 3600.0
# Where nothing limits what is read, a few bytes must not ask for more than that.
LONGEST_UNLIMITED_SECONDS = 3600.0


class Timeline:
    """The start of each stretch of a track, in seconds from the file's start.

    A stretch is sound without a hole above 20 ms in it; holes are silence. `origin` is the time
    of the file's start on the track's clock; None: its first sound is the start. A hole that is
    longer than `longest`, or that ends behind `end`, is a jump of the clock, and no silence; so is
    sound that comes a second and more too early. Sound that overlaps what was before follows it:
    nothing is dropped.
    """

    def __init__(
        self,
        origin: float | None = None,
        longest: float = LONGEST_SECONDS,
        end: float = math.inf,
    ) -> None:
        self._origin, self._longest, self._last = origin, longest, end
        self._start = 0.0
        self.seconds = 0.0

    def stretch(self, time: float | None, seconds: float) -> float:
        """The start of the stretch that this sound, of so many seconds, belongs to.

        `time` is its presentation time on the track's clock; None: it follows what was before.
        `self.seconds` is where it ends.
        """
        if time is not None:
            self._move_to(time)
        self.seconds += seconds
        return self._start

    def _move_to(self, time: float) -> None:
        if self._origin is None:
            self._origin = time - self.seconds
        ahead = time - self._origin - self.seconds
        # Before the first sound a clock has no reason to jump.
        longest = self._longest if self.seconds else max(self._longest, LONGEST_UNLIMITED_SECONDS)
        if HOLE_SECONDS < ahead <= min(longest, self._last - self.seconds):
            self._start = self.seconds = self.seconds + ahead
        elif ahead > HOLE_SECONDS or ahead < -_RESTART_SECONDS:
            self._origin += ahead
