"""One run over recordings: the check of the backend, the work, and what a user is told of it."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping

from client.backend.errors import ClientError
from client.backend.outcome import Outcome
from client.backend.protocol import OpenBackend
from client.backend.request import Recording
from client.batch import Batch, Work
from client.terminal.choice import display_of
from client.terminal.display import Display
from client.terminal.json_lines import json_line
from client.terminal.plain_lines import print_error
from client.terminal.tally import Tally
from client.terminal.wording import shown

DONE, FAILED = 0, 1


class Run:
    """A run of `total` recordings; None: nobody knows how many come."""

    def __init__(
        self,
        opened: OpenBackend,
        work: Work,
        given: argparse.Namespace,
        environ: Mapping[str, str],
        total: int | None,
    ) -> None:
        self._opened, self._work, self._given = opened, work, given
        self._tally = Tally(total)
        self._is_quiet = given.progress == "none" or not given.verbose
        self._display = display_of(
            "none" if self._is_quiet else given.progress,
            sys.stderr,
            self._tally,
            environ,
            is_mixed=given.json_lines and sys.stdout.isatty(),
        )
        self._printed = ""

    def through(self, recordings: AsyncIterator[Recording], *, is_asked: bool = True) -> int:
        """Work on all of them; returns the exit status.

        Without anything to ask, the backend need not be there.

        Raises:
            ClientError: nothing was done, as nothing can be.
            KeyboardInterrupt: it was interrupted; what is running was cancelled.
        """
        began, status = time.monotonic(), DONE
        try:
            with self._display as display:
                asyncio.run(self._batch(recordings, display, is_asked=is_asked))
        except ClientError as error:
            if not self._tally.count("done"):
                raise
            print_error(sys.stderr, f"error: {shown(str(error))}")
            status = FAILED
        finally:
            self._tell_end(time.monotonic() - began)
        return FAILED if self._tally.count("failed") else status

    async def _batch(
        self, recordings: AsyncIterator[Recording], display: Display, *, is_asked: bool
    ) -> None:
        async with self._opened(display.tell) as backend:
            if is_asked:
                await backend.check(self._work.request)
            await Batch(backend, self._work, display, self._end).run(recordings)

    def _end(self, outcome: Outcome) -> None:
        self._tally.add(outcome)
        self._printed += outcome.printed
        if self._given.json_lines:
            print(json_line(outcome), flush=True)

    def _tell_end(self, seconds: float) -> None:
        """What is printed, when no bar is in its way any more, and the summary."""
        sys.stdout.write(self._printed)
        sys.stdout.flush()
        is_alone = self._tally.total == 1 and self._work.printed is not None
        if self._tally.ended and not self._is_quiet and not is_alone:
            print(self._tally.summary(seconds), file=sys.stderr, flush=True)
