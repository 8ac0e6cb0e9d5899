"""Several servers as one engine: each has its share, and one that goes away has none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bulk.engine import EngineFacts, RowFile, Transcribed
from bulk.errors import UNAVAILABLE, RowError
from bulk.runners.server_engine import ServerAwayError, ServerEngine
from client.backend.errors import ClientError, NoServiceError, UsageError
from client.backend.request import Request

# How long a run waits when no server is there; and how often it looks, ever more seldom.
PATIENCE_SECONDS = 60.0
_FIRST_LOOK, _LAST_LOOK = 1.0, 30.0


@dataclass
class _Member:
    engine: ServerEngine
    is_up: bool = False
    is_refusing: bool = False
    running: int = 0


class Servers:
    """Rows go to the server with the fewest. `tell` is called when one goes and when it is back.

    A row whose server went away goes to another one. While there is none the run waits for
    `patience` seconds. A server that refuses to serve, such as for its key, is not asked again.
    """

    def __init__(
        self,
        engines: Sequence[ServerEngine],
        in_flight: int,
        tell: Callable[[str], None],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._members = [_Member(engine) for engine in engines]
        self._in_flight, self._tell, self._patience = in_flight, tell, patience
        self._request, self._tag, self._lost = Request(), "", ""
        self._changed = asyncio.Event()
        self._looking = set[asyncio.Task[None]]()

    async def start(self, request: Request) -> EngineFacts:
        """Ask every server; one at least must be there, and all must have the same model.

        Raises:
            NoServiceError: none can serve such requests.
            UsageError: they differ, or cannot do what is asked for.
        """
        self._request = request
        asked = await asyncio.gather(
            *(each.engine.start(request) for each in self._members), return_exceptions=True
        )
        tags: dict[str, _Member] = {}
        for member, facts in zip(self._members, asked, strict=True):
            match facts:
                case EngineFacts(model_tag=tag):
                    tags.setdefault(tag, member)
                    member.is_up = True
                case NoServiceError() if len(self._members) > 1:
                    self._tell(f"without {member.engine.server}: {facts}")
                case BaseException():
                    raise facts
        if not tags:
            raise NoServiceError(f"none of the {len(self._members)} servers can be used")
        if len(tags) > 1:
            told = ", ".join(f"{m.engine.server} has {tag}" for tag, m in tags.items())
            raise UsageError(f"the servers have different models: {told}")
        (self._tag,) = tags
        for member in self._members:
            if not member.is_up:
                self._look_for(member)
        return EngineFacts(self._tag, self._in_flight * len(self._members))

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The text of a recording, of whichever server.

        Raises:
            RowError: it failed, or a server went away with it.
            NoServiceError: no server came back, or all refuse.
        """
        while True:
            member = await self._free()
            member.running += 1
            try:
                return await member.engine.transcribe(row_file)
            except ServerAwayError as error:
                self._lose(member, error)
                if error.is_sent:
                    raise RowError(UNAVAILABLE, str(error)) from error
            except NoServiceError as error:
                # It is there, and refuses: another one may not.
                member.is_refusing = True
                self._lose(member, error)
            finally:
                member.running -= 1
                self._changed.set()

    async def close(self) -> None:
        """Close all connections."""
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        for member in self._members:
            await member.engine.close()

    async def _free(self) -> _Member:
        """The server with the fewest rows that may have one more.

        Raises:
            NoServiceError: there was no server for too long, or none will be.
        """
        while True:
            if all(each.is_refusing for each in self._members):
                raise NoServiceError(self._lost)
            up = [each for each in self._members if each.is_up]
            free = [each for each in up if each.running < self._in_flight]
            if free:
                return min(free, key=lambda each: each.running)
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), None if up else self._patience)
            except TimeoutError:
                if not any(each.is_up for each in self._members):
                    raise NoServiceError(
                        f"no server has been there for {self._patience:.0f} s: {self._lost}"
                    ) from None

    def _lose(self, member: _Member, error: Exception) -> None:
        self._lost = str(error)
        if member.is_up:
            member.is_up = False
            self._tell(f"without {member.engine.server}: {error}")
            if not member.is_refusing:
                self._look_for(member)

    def _look_for(self, member: _Member) -> None:
        task = asyncio.create_task(self._wait_for(member))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _wait_for(self, member: _Member) -> None:
        """Ask a server that went away until it is back with the same model."""
        pause, other = _FIRST_LOOK, ""
        while not member.is_refusing:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_LOOK)
            try:
                facts = await member.engine.start(self._request)
            except ClientError:
                continue
            if facts.model_tag != self._tag:
                if facts.model_tag != other:
                    other = facts.model_tag
                    self._tell(f"without {member.engine.server}: it has {other}, not {self._tag}")
            elif not member.is_refusing:
                member.is_up = True
                self._tell(f"{member.engine.server} is back")
                self._changed.set()
                return
