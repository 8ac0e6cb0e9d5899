"""Dialect: the API that a request is written in, with its paths, limits and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from api.errors import ApiError


class Dialect:
    """Another API over the same requests; this one, without paths of its own, is OpenAI's.

    `name` is the value of the label `dialect` in logs and metrics.
    """

    name: ClassVar[str] = "openai"

    def endpoint(self, scope: Scope) -> str | None:
        """The endpoint that an HTTP request of this dialect is for; None: it is of another.

        It is a label of metrics: there must be few, whatever paths clients ask for.
        """
        return None

    def routes(self) -> Sequence[BaseRoute]:
        """The routes of the dialect, which come before all others."""
        return ()

    def body_limit(self, scope: Scope, general: int) -> int:
        """The most bytes of a request's body, where `general` is the server's limit; 0: any."""
        return general

    def error_answer(self, error: ApiError, scope: Scope) -> Response | None:
        """The answer to a request that fails, with the error's status and headers.

        None: OpenAI's envelope. The type may not be plain text, which `ErrorEnvelope` replaces.
        """
        return None


OPENAI = Dialect()
