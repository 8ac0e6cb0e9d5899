"""Preamble of a multipart body: text before its first boundary (RFC 2046, 5.1.1)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from starlette.formparsers import MultiPartException

# With the first boundary. Preambles are a line or two; a body without a boundary is refused soon.
MAX_PREAMBLE_BYTES = 16 * 1024
NO_BOUNDARY = "its boundary does not come."


class Preamble:
    """The bytes before the first boundary of a body that comes in pieces, which are passed over."""

    def __init__(self, boundary: bytes) -> None:
        self._first = re.compile(rb"\n(--" + re.escape(boundary) + rb")(?:(?=--)|[ \t]*(?=\r\n))")
        # As if the body came after a line break: its first line may be the boundary.
        self._held = b"\n"
        self.has_ended = False

    @property
    def is_empty(self) -> bool:
        """No byte of the body has come so far."""
        return self._held == b"\n"

    def without(self, piece: bytes) -> bytes:
        """The part of the next piece that is behind the preamble.

        Raises:
            MultiPartException: the boundary has not come within `MAX_PREAMBLE_BYTES`.
        """
        if self.has_ended:
            return piece
        self._held += piece
        if first := self._first.search(self._held, 0, MAX_PREAMBLE_BYTES):
            self.has_ended = True
            # Without the space behind it, which the parser takes behind later boundaries alone.
            body, self._held = first[1] + self._held[first.end() :], b""
            return body
        if len(self._held) >= MAX_PREAMBLE_BYTES:
            raise MultiPartException(NO_BOUNDARY)
        return b""


class BehindPreamble:
    """The pieces of a body without its preamble; not to be closed, as a generator would be."""

    def __init__(self, pieces: AsyncIterator[bytes], preamble: Preamble) -> None:
        self._pieces, self._preamble = pieces, preamble

    def __aiter__(self) -> BehindPreamble:
        """Itself."""
        return self

    async def __anext__(self) -> bytes:
        """The next piece, which may be empty."""
        return self._preamble.without(await anext(self._pieces))
