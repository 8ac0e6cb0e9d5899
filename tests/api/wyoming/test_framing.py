"""Tests of Wyoming's framing, without sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from wyoming.event import Event as TheirEvent
from wyoming.event import async_read_event, async_write_event

from api.errors import ApiError
from api.wyoming.framing import MAX_DATA, MAX_LINE, MAX_PAYLOAD, Event, EventParser

CHUNK = Event("audio-chunk", {"rate": 16000, "width": 2, "channels": 1}, bytes(range(256)) * 8)
EVENTS = [
    Event("describe"),
    Event("transcribe", {"language": "zh", "transcript_names": ["中文", "É\n"]}),
    CHUNK,
    CHUNK,
    Event("audio-stop", {"timestamp": None}),
]


def parsed(*pieces: bytes) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def refusal(*pieces: bytes) -> str:
    with pytest.raises(ApiError) as caught:
        parsed(*pieces)
    assert caught.value.code == "invalid_event"
    return caught.value.message


def line(**members: Any) -> bytes:
    return json.dumps({"type": "x", **members}).encode() + b"\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 100_000])
def test_events_are_the_same_however_they_are_cut(size: int) -> None:
    sent = b"".join(event.to_bytes() for event in EVENTS)

    assert parsed(*(sent[at : at + size] for at in range(0, len(sent), size))) == EVENTS


class Pipe:
    """What the official writer writes."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def writelines(self, parts: list[bytes]) -> None:
        self.written += b"".join(parts)

    async def drain(self) -> None:
        """At once."""


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_official_writer_is_read(event: Event) -> None:
    pipe = Pipe()
    theirs = TheirEvent(event.type, dict(event.data), event.payload or None)
    asyncio.run(async_write_event(theirs, pipe))  # type: ignore[arg-type]

    assert parsed(pipe.written) == [event]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_official_reader_reads_what_is_written(event: Event) -> None:
    async def read() -> TheirEvent | None:
        reader = asyncio.StreamReader()
        reader.feed_data(event.to_bytes())
        reader.feed_eof()
        return await async_read_event(reader)

    assert asyncio.run(read()) == TheirEvent(event.type, dict(event.data), event.payload or None)


def test_data_behind_the_line_goes_over_the_data_in_it() -> None:
    more = b'{"b": 2, "c": 3}'
    sent = line(data={"a": 1, "b": 1}, data_length=len(more), version="1.10.2") + more

    assert parsed(sent) == [Event("x", {"a": 1, "b": 2, "c": 3})]


@pytest.mark.parametrize("empty", [None, {}])
def test_members_that_say_nothing_may_be_there(empty: object) -> None:
    assert parsed(line(data=empty, data_length=None, payload_length=0)) == [Event("x")]


@pytest.mark.parametrize(
    "sent",
    [
        b"\n",
        b"hello\n",
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\n",
        b'"text"\n',
        b"[]\n",
        b"[" * MAX_LINE + b"\n",
        b"\xff\xfe\n",
        b'{"type": "\\ud800"}\n',
        b'{"type": "\xed\xa0\x80"}\n',
        '{"type":"ping"}'.encode("utf-16-be") + b"\n",
        b"1" * 5000 + b"\n",
    ],
)
def test_line_that_is_no_object(sent: bytes) -> None:
    assert refusal(sent) == ("The event cannot be read: its line is not a JSON object in UTF-8.")


@pytest.mark.parametrize(
    "data", [b"null", b'{"text": "\xed\xa0\x80"}', '{"text": "x"}'.encode("utf-16")]
)
def test_data_that_is_no_object(data: bytes) -> None:
    assert "its data is not a JSON object" in refusal(line(data_length=len(data)) + data)


def test_line_may_begin_with_a_byte_order_mark() -> None:
    assert parsed(b"\xef\xbb\xbf" + line()) == [Event("x")]


@pytest.mark.parametrize("members", [{"type": None}, {"type": 1}, {"data": []}, {"data": "x"}])
def test_type_and_data_of_another_kind(members: dict[str, Any]) -> None:
    assert "it needs a type" in refusal(line(**members))


@pytest.mark.parametrize("value", [-1, 1.5, True, "8", [], 10**300])
@pytest.mark.parametrize("name", ["data_length", "payload_length"])
def test_length_that_is_none(name: str, value: object) -> None:
    assert f"its {name} must be a whole number" in refusal(line(**{name: value}))


@pytest.mark.parametrize(
    ("name", "maximum"), [("data_length", MAX_DATA), ("payload_length", MAX_PAYLOAD)]
)
def test_length_is_refused_before_the_bytes_come(name: str, maximum: int) -> None:
    assert f"from 0 to {maximum}" in refusal(line(**{name: maximum + 1}))
    assert f"from 0 to {maximum}" in refusal(line(**{name: 2**31}))


def test_longest_payload_is_taken() -> None:
    event = Event("audio-chunk", {"rate": 1}, b"\x01" * MAX_PAYLOAD)

    assert parsed(event.to_bytes()) == [event]


def test_line_without_an_end() -> None:
    assert parsed(b"x" * MAX_LINE) == []
    assert f"its line is longer than {MAX_LINE} bytes" in refusal(*[b"x" * 1024] * 65)


def test_events_before_the_broken_one_are_there() -> None:
    parser = EventParser()
    events = parser.feed(EVENTS[0].to_bytes() + b"broken\n")

    assert next(events) == EVENTS[0]
    with pytest.raises(ApiError):
        next(events)
