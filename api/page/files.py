"""Static files of the pages by their paths."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent
# Swagger UI as npm has it, beside its licence and checksums: nothing in it is ours. A new version
# gets a new path, so that browsers may keep this one for good.
VIEWER = "swagger-ui-5.35.0"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_NAMES = {
    "/": "static/index.html",
    "/docs": "static/docs.html",
    "/favicon.ico": "static/icon.svg",
    "/page/api.js": "static/api.js",
    "/page/docs.css": "static/docs.css",
    "/page/docs.js": "static/docs.js",
    "/page/icon.svg": "static/icon.svg",
    "/page/page.css": "static/page.css",
    "/page/page.js": "static/page.js",
    "/page/show.js": "static/show.js",
    f"/page/{VIEWER}/swagger-ui-bundle.js": f"{VIEWER}/swagger-ui-bundle.js",
    f"/page/{VIEWER}/swagger-ui.css": f"{VIEWER}/swagger-ui.css",
}
# Answered by a route of its own: does the server ask for a key?
ACCESS = "/page/access.json"
# The command-line client, made of its modules when it is asked for.
CLIENT = "/client.py"
# What anybody gets without a key. The document and the client tell of the program, and nothing of
# this server.
WITHOUT_KEY = frozenset({*_NAMES, "/docs/", ACCESS, CLIENT, "/openapi.json"})

_CHECKED_EACH_TIME = "no-cache"
_KEPT_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class PageFile:
    """A file that is served: its bytes, read once, and how long browsers may keep it."""

    body: bytes
    media_type: str
    cache_control: str

    @cached_property
    def etag(self) -> str:
        """The validator of HTTP's conditional requests (RFC 9110, 8.8.3)."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


def page_files() -> Mapping[str, PageFile]:
    """Every file of the pages by its path; no other path leads to a file.

    Raises:
        OSError: one of them is missing.
    """
    return {path: _read(FOLDER / name) for path, name in _NAMES.items()}


def _read(file: Path) -> PageFile:
    kept = _KEPT_FOR_GOOD if file.parent.name == VIEWER else _CHECKED_EACH_TIME
    return PageFile(file.read_bytes(), _TYPES[file.suffix], kept)
