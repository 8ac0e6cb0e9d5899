"""The budget of jobs: how much audio may be open, and how many bytes may be kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.errors import JobDiskError, OverloadedError

# When to come again, in seconds: hours of audio are before it, and clients wait no longer.
_RETRY_SECONDS = 60.0


@dataclass(frozen=True)
class JobsHeld:
    """What the jobs of a store hold: audio `seconds` of open ones, those of the key; bytes.

    A job counts as a second at least, so that the number of open jobs is bounded as well.
    """

    seconds: float
    own_seconds: float
    nbytes: int


@dataclass(frozen=True)
class JobBudget:
    """Audio `seconds` of open jobs, and bytes of uploads, results and fields; 0: no limit.

    As in `Admission`, what a key holds already must fit into what is left once more, so that
    nobody fills all of it; without keys anybody may. A recording longer than the budget counts as
    one that fills it: where nothing is open, any is taken.
    """

    seconds: int
    nbytes: int = 0

    def check(self, held: JobsHeld, seconds: float, nbytes: int) -> None:
        """Refuse a job that does not fit beside what is `held`.

        Raises:
            OverloadedError: too much audio is open.
            JobDiskError: too many bytes are kept.
        """
        cost = min(max(1, math.ceil(seconds)), self.seconds)
        if cost + held.own_seconds > self.seconds - held.seconds:
            message = "The server has as many background jobs as it takes. Try again later."
            raise OverloadedError(message, _RETRY_SECONDS)
        if self.nbytes and held.nbytes + nbytes > self.nbytes:
            raise JobDiskError
