"""Messages between a run and its engine's process: objects of JSON, each after its length."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bulk.engine import RowFile
from client.backend.request import Request

_LENGTH_BYTES = 4


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message; None if the other side has gone."""
    try:
        size = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
        return dict(json.loads(await reader.readexactly(size)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def message_bytes(members: Mapping[str, Any]) -> bytes:
    """A message as it is sent; paths may have halves of characters, which JSON escapes."""
    body = json.dumps(members).encode("ascii")
    return len(body).to_bytes(_LENGTH_BYTES) + body


def file_message(number: int, row_file: RowFile) -> dict[str, Any]:
    """A row as a message; `number` is the answer's as well."""
    return {
        "number": number,
        "row_id": row_file.row_id,
        "path": str(row_file.path),
        "name": row_file.name,
        "request": request_members(row_file.request),
    }


def file_of(message: Mapping[str, Any]) -> RowFile:
    """The row of a message."""
    path = Path(message["path"])
    return RowFile(message["row_id"], path, message["name"], request_of(message["request"]))


def request_members(request: Request) -> dict[str, Any]:
    """A request in JSON's types."""
    return asdict(request)


def request_of(members: Mapping[str, Any]) -> Request:
    """The request of these members."""
    return Request(
        task=members["task"],
        model=members["model"],
        fields=tuple((name, value) for name, value in members["fields"]),
        formats=tuple(members["formats"]),
        has_words=members["has_words"],
        layout=tuple((name, value) for name, value in members["layout"]),
    )
