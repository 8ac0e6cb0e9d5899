"""Server-sent events: the data of each, as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator

_DATA = b"data:"


async def data_of(stream: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The data of each event, a line each, which are those of OpenAI's API.

    Lines end with a line feed alone: a text may have other characters that end lines elsewhere.
    """
    rest = b""
    async for piece in stream:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(_DATA):
                yield line.removeprefix(_DATA).strip(b" \r").decode("utf-8", "replace")
