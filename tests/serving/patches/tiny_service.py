"""A BentoML service with every patch and no model, which starts in seconds."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from serving.patches.bentoml_server import replace_defaults
from serving.patches.circus_watcher import replace_watcher

LIMIT_SECONDS = 1
# So long that nothing seems to end at once because it was killed.
KILLED_AFTER_SECONDS = float(os.environ.get("KILLED_AFTER_SECONDS", "5"))


async def slow(request: Request) -> PlainTextResponse:
    """Answer when BentoML's own time limit is over."""
    await asyncio.sleep(LIMIT_SECONDS * 2)
    return PlainTextResponse("done")


replace_defaults()
app = Starlette(routes=[Route("/slow", slow)])


@bentoml.service(  # type: ignore[operator]  # a function, that mypy takes for a module
    name="tiny",
    traffic={"timeout": LIMIT_SECONDS},
    http={"host": "127.0.0.1", "port": int(os.environ["WHISPER_PORT"])},
    metrics={"enabled": False, "namespace": "bentoml_service"},
)
@bentoml.asgi_app(app, path="/")
class Tiny:
    """Tells the size of a file."""

    @bentoml.on_deployment
    @staticmethod
    def prepare() -> None:
        """Every worker counts as started, and leaves nothing."""
        replace_watcher(KILLED_AFTER_SECONDS, lambda worker: worker > 0)

    @bentoml.api
    def measure(self, file: Path) -> int:
        """Its bytes."""
        return file.stat().st_size
