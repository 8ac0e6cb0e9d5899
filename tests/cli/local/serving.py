"""Models in the tests' process as the client's backend, and the same behind a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from api.requests.model_registry import Transcriber
from cli.local.local import Local
from client.backend.protocol import Tell

OpenFake = Callable[..., AbstractAsyncContextManager[Local]]


@dataclass
class OneModel:
    """A transcriber that every model id means."""

    transcriber: Transcriber
    is_closed: bool = False
    uses: int = 0

    def find(self, model_id: str) -> object:
        """It is there."""
        return self.transcriber

    def tag(self, model_id: str) -> str:
        """It is the only one."""
        return "one:1"

    async def use(self, model_id: str) -> Transcriber:
        """It is loaded."""
        self.uses += 1
        return self.transcriber

    def close(self) -> None:
        """Noted alone."""
        self.is_closed = True


def local_over(transcriber: Transcriber) -> OpenFake:
    """What opens a backend of this transcriber, in the place of the stored models."""

    @asynccontextmanager
    async def opened(
        tell: Tell, *, retries: int, wait_seconds: float | None
    ) -> AsyncIterator[Local]:
        models = OneModel(transcriber)
        local = Local(models, retries=retries, wait_seconds=wait_seconds)
        try:
            yield local
        finally:
            await local.close()
            assert models.is_closed

    return opened
