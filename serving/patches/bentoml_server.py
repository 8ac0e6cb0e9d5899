"""Replaced parts of BentoML's server: time limit, keep-alive, uploads, form parser, HTTP protocol.

BentoML has no setting for any of them. What is private is imported where it is needed: where
another version has moved it, `serving/patches/versions.py` has spoken before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import starlette.requests

from api.forms.multipart import PartsParser

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile
    from starlette.types import ASGIApp

# Longer than clients keep an idle connection: they must not use one that is just being closed.
KEEP_ALIVE_SECONDS = 75

# What makes the workers' arguments of two time limits, in seconds: keep-alive, graceful shutdown.
TimeoutArguments: TypeAlias = Callable[[int | None, int | None], list[str]]


def replace_defaults() -> None:
    """Put ours in the place of some of BentoML's parts, before it makes a server of them."""
    from _bentoml_impl.serde import MultipartSerde  # type: ignore[import-untyped]
    from bentoml import serving
    from bentoml._internal.server.http import traffic
    from uvicorn.config import HTTP_PROTOCOLS, WS_PROTOCOLS

    traffic.TimeoutMiddleware = without_timer  # type: ignore[assignment, misc]  # as a callable
    serving.construct_timeouts_args = partial(longer_keep_alive, serving.construct_timeouts_args)
    MultipartSerde.ensure_file = staticmethod(without_file_name)
    # It reads a form as `api/middleware/native_body.py` has read it before.
    vars(starlette.requests)["MultiPartParser"] = PartsParser
    # What its workers' uvicorn speaks.
    HTTP_PROTOCOLS["auto"] = "api.middleware.timed_headers:TimedHeaders"
    WS_PROTOCOLS["auto"] = "api.middleware.socket_protocol:SocketProtocol"


def without_timer(app: ASGIApp, timeout: float) -> ASGIApp:
    """In place of BentoML's own time limit, whose timers keep every request in memory.

    They are not cancelled when it is answered. `api/middleware/time_limits.py` has the same limit,
    and answers in OpenAI's shape.
    """
    return app


def longer_keep_alive(
    original: TimeoutArguments,
    timeout_keep_alive: int | None,
    timeout_graceful_shutdown: int | None,
) -> list[str]:
    """In place of what tells the workers `--timeout-keep-alive`, in seconds, where it was given."""
    return original(timeout_keep_alive or KEEP_ALIVE_SECONDS, timeout_graceful_shutdown)


async def without_file_name(upload: UploadFile) -> UploadFile:
    """In place of what fetches a URL; `api/middleware/native_body.py` lets none through.

    BentoML's temporary file has the client's name for it as a part of its own, which may be too
    long for that.
    """
    upload.filename = None
    return upload


def configured_host() -> str:
    """The address BentoML listens on unless `--host` gives another; its container alone knows."""
    from bentoml._internal.configuration.containers import BentoMLContainer

    return str(BentoMLContainer.http.host.get())
