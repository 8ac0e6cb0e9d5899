"""All that differs between two answers to the same call."""

from __future__ import annotations

from cli.comparison.answer import NOT_JSON, Answer
from cli.comparison.calls import Kind
from cli.comparison.cues import cue_differences
from cli.comparison.difference import Difference
from cli.comparison.events import Stream, read_stream
from cli.comparison.json_shape import leaves, shape_differences
from cli.comparison.timing import (
    is_apart,
    is_number,
    spacing_differences,
    time_differences,
    timed_items,
)
from cli.comparison.wording import text_differences

# Headers that change what clients do. Times, ids and names of servers are nobody's promise.
HEADERS = ("content-disposition", "www-authenticate", "x-should-retry")
STREAM = "text/event-stream"
# Fields that programs decide by; what a message says is for people.
VALUES = ("task", "language", "object", "error.type", "error.param", "error.code")


def differences(kind: Kind, here: Answer, against: Answer, tolerance: float) -> list[Difference]:
    """Every difference; where one has failed and the other not, there is no more than that."""
    found = []
    if here.status != against.status:
        found.append(Difference("status", "", _told(here), _told(against)))
    if here.is_success != against.is_success:
        return found
    found += _header_differences(here, against)
    if not here.is_success or kind is Kind.JSON:
        return found + _json_bodies(here, against, tolerance)
    if kind is Kind.STREAM:
        return found + _stream_bodies(here, against)
    return found + _text_bodies(kind, here, against, tolerance)


def _told(answer: Answer) -> object:
    if answer.is_success or not answer.message:
        return answer.status
    return f"{answer.status} {answer.message}"


def _header_differences(here: Answer, against: Answer) -> list[Difference]:
    found = []
    if here.content_type != against.content_type:
        found.append(Difference("header", "content-type", here.content_type, against.content_type))
    for name in HEADERS:
        ours, theirs = here.headers.get(name), against.headers.get(name)
        if ours != theirs:
            found.append(Difference("header", name, ours, theirs))
    return found


def _json_bodies(here: Answer, against: Answer, tolerance: float) -> list[Difference]:
    ours, theirs = here.json, against.json
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return _other_bodies(here, against)
    found = _usage_differences(ours, theirs) + shape_differences(
        _without_usage(ours), _without_usage(theirs)
    )
    found += _value_differences(ours, theirs, tolerance)
    if isinstance(ours.get("text"), str) and isinstance(theirs.get("text"), str):
        found += text_differences("text", _text(ours), _text(theirs))
    for name, text in (("segments", "text"), ("words", "word")):
        one, other = timed_items(ours.get(name), text), timed_items(theirs.get(name), text)
        if one and other:
            found += time_differences(name, one, other, tolerance)
            found += spacing_differences(f"{name}[].{text}", one, other)
    return found


def _other_bodies(here: Answer, against: Answer) -> list[Difference]:
    ours, theirs = _body(here), _body(against)
    if ours != theirs:
        return [Difference("body", "", ours, theirs)]
    return text_differences("body", here.text, against.text)


def _body(answer: Answer) -> str:
    """What a body is."""
    value = answer.json
    if value is NOT_JSON:
        return "text" if answer.body.strip() else "empty"
    if isinstance(value, dict):
        return "a JSON object"
    if isinstance(value, list):
        return "a JSON list"
    # A number is a text, too.
    return "a JSON string" if isinstance(value, str) else "text"


def _text_bodies(kind: Kind, here: Answer, against: Answer, tolerance: float) -> list[Difference]:
    is_json = [_body(each).startswith("a JSON") for each in (here, against)]
    if any(is_json):
        return _other_bodies(here, against)
    if kind is Kind.CUES:
        return cue_differences(here.text, against.text, tolerance)
    return text_differences("text", here.text, against.text)


def _stream_bodies(here: Answer, against: Answer) -> list[Difference]:
    streamed = [each.media_type == STREAM for each in (here, against)]
    if not all(streamed):
        texts = (_spoken(each) for each in (here, against))
        return text_differences("text", *texts)
    ours, theirs = read_stream(here.text), read_stream(against.text)
    found = []
    if ours.order != theirs.order:
        found.append(Difference("events", "order", ours.order, theirs.order))
    if ours.lines != theirs.lines:
        found.append(Difference("events", "lines", sorted(ours.lines), sorted(theirs.lines)))
    if _joins(ours) != _joins(theirs):
        found.append(Difference("events", "deltas", _joined(ours), _joined(theirs)))
    for name in sorted(ours.events.keys() & theirs.events.keys()):
        found += shape_differences(_plain(ours, name), _plain(theirs, name), name)
    found += text_differences("text", ours.text, theirs.text)
    return found + _usage_differences(ours.done, theirs.done, "transcript.text.done.usage")


def _spoken(answer: Answer) -> str:
    return read_stream(answer.text).text if answer.media_type == STREAM else _text(answer.json)


def _joins(stream: Stream) -> bool:
    return stream.deltas == stream.text


def _joined(stream: Stream) -> str:
    return "join to the text" if _joins(stream) else "do not join to the text"


def _plain(stream: Stream, name: str) -> list[object]:
    return [_without_usage(event) for event in stream.events[name]]


def _without_usage(value: dict[str, object]) -> dict[str, object]:
    """A usage is compared apart: of another kind it has other fields."""
    is_object = isinstance(value.get("usage"), dict)
    return {**value, "usage": {}} if is_object else value


def _usage_differences(
    ours: dict[str, object], theirs: dict[str, object], where: str = "usage"
) -> list[Difference]:
    one, other = ours.get("usage"), theirs.get("usage")
    if not isinstance(one, dict) or not isinstance(other, dict):
        return []
    if one.get("type") != other.get("type"):
        return [Difference("usage", f"{where}.type", one.get("type"), other.get("type"))]
    mine, yours = leaves(one, where), leaves(other, where)
    return shape_differences(one, other, where) + [
        Difference("usage", path, mine[path], yours[path])
        for path in mine
        if path in yours and _differ(mine[path], yours[path])
    ]


def _value_differences(
    ours: dict[str, object], theirs: dict[str, object], tolerance: float
) -> list[Difference]:
    mine, yours = leaves(ours, ""), leaves(theirs, "")
    found = [
        Difference("value", path, mine[path], yours[path])
        for path in VALUES
        if path in mine and path in yours and _differ(mine[path], yours[path])
    ]
    one, other = mine.get("duration"), yours.get("duration")
    if is_number(one) and is_number(other) and is_apart(one, other, tolerance):
        found.append(Difference("value", "duration", one, other))
    return found


def _differ(one: object, other: object) -> bool:
    """Whether they are different values of one type; that they are of two is told by the shape."""
    return one != other and type(one) is type(other)


def _text(value: object) -> str:
    text = value.get("text") if isinstance(value, dict) else None
    return text if isinstance(text, str) else ""
