"""Retry policy: waits for a busy or absent server, and resends of a recording."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from client.backend.errors import GivenUpError, NotConnectedError, TryAgainError
from client.backend.events import Event, Waiting

# How often a server that is not there is looked for.
LOOK_SECONDS = 1.0
_MAX_PAUSE = 30.0


class RetryPolicy:
    """The policy of one request: `timeout` is for a busy server, `retries` for failures.

    The time begins with the first answer that is none. `is_awaited`: a server that cannot be
    connected to is like one that is busy.
    """

    def __init__(
        self,
        retries: int,
        timeout: float | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_awaited: bool = False,
    ) -> None:
        self._retries, self._timeout, self._clock = retries, timeout, clock
        self._is_awaited = is_awaited
        self._since: float | None = None
        self._failures = 0

    def pause(self, error: TryAgainError) -> float:
        """Seconds until it is tried again: those that the server said, or ever longer ones.

        Raises:
            GivenUpError: it is not.
        """
        now = self._clock()
        self._since = now if self._since is None else self._since
        is_waited_for = self._is_awaited and isinstance(error, NotConnectedError)
        seconds = LOOK_SECONDS if is_waited_for else error.after
        if seconds is None:
            self._failures += 1
            if self._failures > self._retries:
                raise GivenUpError(str(error)) from error
            seconds = min(2.0 ** (self._failures - 1), _MAX_PAUSE)
        if self._timeout is not None and now + seconds > self._since + self._timeout:
            raise GivenUpError(f"{error} (waited as long as --timeout says)") from error
        return seconds


async def retried(
    attempt: Callable[[], AsyncGenerator[Event, None]], policy: RetryPolicy
) -> AsyncGenerator[Event, None]:
    """The events of an attempt, and of further ones as the policy has it.

    Raises:
        ClientError: the attempt does, or the policy where there is to be no other.
    """
    while True:
        try:
            async with aclosing(attempt()) as events:
                async for event in events:
                    yield event
        except TryAgainError as error:
            seconds = policy.pause(error)
            yield Waiting(seconds, str(error))
            await asyncio.sleep(seconds)
        else:
            return
