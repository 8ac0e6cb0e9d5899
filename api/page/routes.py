"""Routes of the pages."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.page.client_file import ClientFile
from api.page.files import ACCESS, CLIENT, PageFile, page_files
from api.request_context import context_of

# What BentoML would serve to its own page, which asks other servers for scripts and pictures.
_OF_BENTOML = ("/static_content", "/static_content/{path:path}")


def page_routes() -> list[BaseRoute]:
    """A route for each file of the pages, and for what they ask before they have a key."""
    files = [
        Route(path, _Answer(file), methods=["GET"], include_in_schema=False)
        for path, file in page_files().items()
    ]
    gone = [Route(path, _missing, include_in_schema=False) for path in _OF_BENTOML]
    return [
        *files,
        Route("/docs/", _without_slash, include_in_schema=False),
        Route(ACCESS, _access, include_in_schema=False),
        Route(CLIENT, _ClientAnswer(), methods=["GET"], include_in_schema=False),
        *gone,
    ]


class _Answer:
    """A file as an answer: 304 to a browser that has it."""

    def __init__(self, file: PageFile) -> None:
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await _response(Request(scope), self.file)(scope, receive, send)


class _ClientAnswer:
    """The client as an answer; it is read when somebody asks for it first."""

    def __init__(self) -> None:
        self.client = ClientFile()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        request = Request(scope)
        file = await asyncio.to_thread(self.client.answered, request)
        await _response(request, file)(scope, receive, send)


def _response(request: Request, file: PageFile) -> Response:
    """The file, or that the client has it."""
    headers = {"etag": file.etag, "cache-control": file.cache_control}
    if _has(request, file.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)


def _has(request: Request, etag: str) -> bool:
    """True if the browser has this version (RFC 9110, 13.1.2: compared as weak ones)."""
    listed = ",".join(request.headers.getlist("if-none-match")).split(",")
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in listed)


async def _access(request: Request) -> Response:
    """True if the server asks for a key: with a call, a page would provoke a 401 to learn it."""
    asks = context_of(request).asks_for_key
    return JSONResponse({"asks_for_key": asks}, headers={"cache-control": "no-store"})


async def _without_slash(request: Request) -> Response:
    # Relative, for servers behind a proxy that gives them a path of their own.
    return RedirectResponse("../docs", HTTPStatus.PERMANENT_REDIRECT)


async def _missing(request: Request) -> Response:
    raise HTTPException(HTTPStatus.NOT_FOUND)
