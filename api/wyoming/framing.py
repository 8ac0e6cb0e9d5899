"""Wyoming's framing: events out of bytes and bytes out of events, without sockets.

An event is a line of JSON, then as many bytes of JSON as its `data_length` says, which are merged
over its `data`, then as many bytes as its `payload_length` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.errors import ApiError

MAX_LINE = 64 * 1024
MAX_DATA = 256 * 1024
# Half a minute of 16 kHz; clients send a tenth of a second at a time.
MAX_PAYLOAD = 1024 * 1024

_NEWLINE = b"\n"


@dataclass(frozen=True)
class Event:
    """One event, sent or received."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        """The event as it is sent."""
        head: dict[str, Any] = {"type": self.type}
        data = json.dumps(self.data).encode() if self.data else b""
        if data:
            head["data_length"] = len(data)
        if self.payload:
            head["payload_length"] = len(self.payload)
        return json.dumps(head).encode() + _NEWLINE + data + self.payload


@dataclass(frozen=True)
class _Head:
    """An event's line, and the bytes that follow it."""

    type: str
    data: Mapping[str, Any]
    data_length: int
    payload_length: int


class EventParser:
    """Makes events of bytes, however they are cut; it keeps no more than one event's."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._head: _Head | None = None

    def feed(self, received: bytes) -> Iterator[Event]:
        """The events that are complete with these bytes.

        Raises:
            ApiError: it is no event, or longer than is taken. There is no way to go on after it.
        """
        self._received += received
        while event := self._next():
            yield event

    def _next(self) -> Event | None:
        if self._head is None:
            self._head = self._read_head()
        head = self._head
        if head is None or len(self._received) < head.data_length + head.payload_length:
            return None
        data, payload = self._take(head.data_length), self._take(head.payload_length)
        self._head = None
        return Event(head.type, {**head.data, **(_object(data, "data") if data else {})}, payload)

    def _read_head(self) -> _Head | None:
        end = self._received.find(_NEWLINE)
        if (len(self._received) if end < 0 else end) > MAX_LINE:
            raise _refused(f"its line is longer than {MAX_LINE} bytes")
        return None if end < 0 else _head(_object(self._take(end + 1), "line"))

    def _take(self, length: int) -> bytes:
        taken = bytes(self._received[:length])
        del self._received[:length]
        return taken


def _head(line: Mapping[str, Any]) -> _Head:
    kind, data = line.get("type"), line.get("data")
    data = {} if data is None else data
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise _refused("it needs a type, which is text, and its data must be an object")
    return _Head(
        kind,
        data,
        _length(line, "data_length", MAX_DATA),
        _length(line, "payload_length", MAX_PAYLOAD),
    )


def _length(line: Mapping[str, Any], name: str, maximum: int) -> int:
    value = line.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= maximum:
        raise _refused(f"its {name} must be a whole number from 0 to {maximum}")
    return value


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        # Of bytes Python would take UTF-16, and halves of surrogate pairs, as well.
        value = json.loads(text.decode("utf-8-sig"))
        if b"\\u" in text:
            # Half of a surrogate pair is no character, and nothing could be made of it.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _refused(f"its {what} is not a JSON object in UTF-8")
    return value


def _refused(why: str) -> ApiError:
    return ApiError(f"The event cannot be read: {why}.", code="invalid_event")
