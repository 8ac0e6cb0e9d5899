"""The parts of the comparison: shapes, words, times, cues, events, addresses, calls."""

from __future__ import annotations

import time

import httpx
import pytest

from cli.comparison.address import Server
from cli.comparison.answer import NOT_JSON, Answer, one_line, parsed
from cli.comparison.calls import CALLS, Call, Kind, chosen_calls, silence, transcribing
from cli.comparison.compare import Compared
from cli.comparison.cues import cue_differences, read_cues
from cli.comparison.differences import differences
from cli.comparison.events import read_stream
from cli.comparison.json_shape import shape_differences
from cli.comparison.report import as_json, lines_of
from cli.comparison.timing import Timed, time_differences
from cli.comparison.wording import changed, text_differences
from client.remote.address import base_url, checked_key

HERE = Server(httpx.URL("http://h/v1"), "whisper-1")


def kinds(found: list[object]) -> list[tuple[str, str]]:
    return [(getattr(each, "kind", ""), getattr(each, "where", "")) for each in found]


@pytest.mark.parametrize(
    ("here", "against", "expected"),
    [
        ({}, {"a": {"b": 1}}, [("missing", "a")]),
        ({"a": {"b": 1}}, {}, [("additional", "a")]),
        ({"a": {"b": 1}}, {"a": "b"}, [("type", "a")]),
        ({"a": None}, {}, [("additional", "a")]),
        ({"a": None}, {"a": 1}, [("type", "a")]),
        ({"a": []}, {"a": [{"b": 1}]}, []),
        ({"a": [{"b": 1}, {}]}, {"a": [{"b": 2}]}, []),
        ({"a": [{"b": 1}, {"c": 1}]}, {"a": [{"b": 2}]}, [("additional", "a[].c")]),
        ({"a": [1, "x"]}, {"a": [1]}, []),
        ({"start": 0}, {"start": 0.0}, []),
        ({"id": 0}, {"id": 0.0}, [("type", "id")]),
        ({"usage": {"seconds": 3.0}}, {"usage": {"seconds": 3}}, [("type", "usage.seconds")]),
        ({"tokens": [1.0]}, {"tokens": [1]}, []),
        ({"a": True}, {"a": 1}, [("type", "a")]),
    ],
)
def test_shapes(here: object, against: object, expected: list[tuple[str, str]]) -> None:
    assert kinds([*shape_differences(here, against)]) == expected


@pytest.mark.parametrize(
    ("here", "against", "kind", "differing", "beyond"),
    [
        ("A b c.", "A b c.", None, 0, 0),
        ("A b c", "A  b c\n", "spacing", 0, 0),
        ("A, b c.", "a b c", "text", 2, 0),
        ("A b c", "A x b c", "text", 1, 1),
        ("", "A b", "text", 2, 2),
        ("你好世界", "你好, 世界", "text", 1, 0),
        ("你好世界", "你好时界", "text", 1, 1),
    ],
)
def test_words(here: str, against: str, kind: str | None, differing: int, beyond: int) -> None:
    found = text_differences("text", here, against)

    assert [each.kind for each in found] == ([kind] if kind else [])
    if kind == "text":
        assert found[0].detail["differing"] == differing
        assert found[0].detail["beyond_punctuation"] == beyond


@pytest.mark.parametrize("vocabulary", [1, 700, 20_000], ids=["a loop", "a chant", "speech"])
def test_texts_of_hours_are_compared_in_seconds(vocabulary: int) -> None:
    """Each 50th of 30,000 words is another; where words are said once, two more are left out."""
    said = [f"{word}{number % vocabulary}" for number in range(15_000) for word in ("a", "b")]
    heard = [word if number % 50 else "and" for number, word in enumerate(said)]
    missing = 2 if vocabulary == 20_000 else 0

    begin = time.process_time()
    (found,) = text_differences("text", " ".join(said), " ".join(heard[missing:]))
    assert found.detail["words"] == 30_000
    assert found.detail["differing"] == 600 + missing - (1 if missing else 0)
    assert time.process_time() - begin < 30


def test_alignment_of_long_texts_is_that_of_short_ones() -> None:
    """Cut at what is said once, the same words differ as without a cut."""
    said = [f"w{number * number % 397}" for number in range(390)]
    heard = [*said[:100], "more", "words", *said[100:200], "other", *said[201:300], *said[303:]]
    around = [f"x{number}" for number in range(600)]

    short = changed(said, heard)
    assert [end - begin for begin, end, _, _ in short] == [0, 1, 3]
    long = changed([*around, *said, *around], [*around, *heard, *around])
    assert long == [tuple(600 + at for at in change) for change in short]


def test_times_are_those_of_what_both_have_said() -> None:
    """A word more on one side moves none of the others against each other."""
    against = [Timed(at, at + 1, word) for at, word in enumerate(["one", "two", "three", "four"])]
    here = [Timed(0, 0.1, "Well"), *against[:2], Timed(2.5, 3.5, "3"), Timed(3, 4.2, "four")]

    count, times = time_differences("words", here, against, 0.02)
    assert (count.here, count.against) == (5, 4)
    assert times.detail == {"largest": 0.5, "mean": 0.15, "compared": 4}


def test_times_within_the_tolerance_are_the_same() -> None:
    against = [Timed(0.0, 3.3199999332, "one")]

    assert time_differences("words", [Timed(0.02, 3.32, "One.")], against, 0.02) == []
    assert time_differences("words", [Timed(0.03, 3.32, "One.")], against, 0.02) != []


@pytest.mark.parametrize(
    ("here", "against", "where"),
    [
        ("00:00.000 --> 00:01.000\na\n", "WEBVTT\n\n00:00.000 --> 00:01.000\na\n", "first line"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\na\n", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na\n",
         "times"),
        ("1\n00:00:00,000 --> 00:00:01,000\na\n", "00:00:00,000 --> 00:00:01,000\na\n", "numbers"),
        ("00:00:00,000 --> 00:00:01,000\na\n", "00:00:00,000 --> 00:00:01,000\na\n\n\n",
         "line ends at the end"),
        ("WEBVTT\r\n\r\n00:00.000 --> 00:01.000\r\na\r\n", "WEBVTT\n\n00:00.000 --> 00:01.000\na\n",
         "line ends"),
    ],
)  # fmt: skip
def test_layouts_of_subtitles(here: str, against: str, where: str) -> None:
    (found,) = cue_differences(here, against, 0.02)
    assert (found.kind, found.where) == ("layout", where)


def test_cues_without_hours_and_in_lines_are_read() -> None:
    text = "WEBVTT\n\nNOTE hello\n\n01:02.500 --> 1:00:03.000 align:start\nOne\ntwo\n\nthree\n"
    assert read_cues(text) == [Timed(62.5, 3603.0, "One two")]


def test_subtitles_without_a_cue_differ_in_their_number() -> None:
    cue = "1\n00:00:00,000 --> 00:00:01,000\na\n\n"
    assert ("count", "cues") in kinds([*cue_differences("\n\n", cue, 0.02)])


def test_streams_are_read_as_browsers_do() -> None:
    text = (
        ": ping\r\n\r\nevent: transcript.text.delta\r\n"
        'data: {"type": "transcript.text.delta",\r\ndata: "delta": "a\\u2028b"}\r\n\r\n'
        'data:{"error": {"message": "broken"}}\n\ndata: oops\n\ndata: [1]\n\ndata: [DONE]'
    )
    stream = read_stream(text)

    assert stream.order == [
        "transcript.text.delta",
        "error",
        "an event that is no JSON object",
        "an event without an empty line after it",
    ]
    assert stream.text == "a\u2028b"
    assert stream.lines == {"event", "data"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        (" https://api.openai.com/v1/ ", "https://api.openai.com/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
        ("http://h/d?api-version=1#x", "http://h/d?api-version=1"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    server = Server(base_url(text), "whisper-1")

    assert str(server) == url
    path, _, query = url.partition("?")
    expected = f"{path}/audio/transcriptions{'?' if query else ''}{query}"
    assert str(server.endpoint("audio/transcriptions")) == expected


def test_a_model_with_a_slash_is_one_part_of_the_path() -> None:
    (call,) = (call for call in CALLS if call.name == "model")
    server = Server(httpx.URL("http://h/v1"), "openai/whisper-small")

    url = server.endpoint(call.endpoint(server.model))
    assert url.raw_path == b"/v1/models/openai%2Fwhisper-small"


def test_keys_are_not_in_what_is_printed() -> None:
    assert "secret" not in repr(Server(httpx.URL("http://h"), "whisper-1", "secret"))
    assert checked_key("  ") is None
    assert checked_key(" sk-1 \n") == "sk-1"


def test_calls_are_the_formats_a_stream_a_translation_and_errors() -> None:
    assert [call.name for call in CALLS] == [
        *("json", "text", "srt", "vtt", "verbose_json", "words", "stream", "translation"),
        *("model", "unknown-model", "unknown-format", "unreadable-file"),
    ]
    assert transcribing(CALLS) == 8
    assert [call.name for call in chosen_calls("vtt,", deployment=True)] == ["json", "vtt"]
    assert len(silence()) == 32_044


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"a": 1}', {"a": 1}), ('{"a": NaN}', NOT_JSON), ("[" * 100_000, NOT_JSON), ("", NOT_JSON)],
)
def test_json_is_as_strict_as_elsewhere(text: str, value: object) -> None:
    assert parsed(text) == value


def test_lines_of_servers_cannot_write_on_a_terminal() -> None:
    assert one_line("a\x1b[2J\nb\u202ec" + "d" * 100, 20) == "a?[2J b?cdddddddd..."


@pytest.mark.parametrize(
    ("here", "against", "differ"),
    [
        ("application/json", "application/json; charset=UTF-8", False),
        ("text/plain;charset=utf-8", 'Text/Plain; charset="UTF-8"', False),
        ("text/plain", "text/plain; charset=utf-8", True),
        ("text/html", "text/plain", True),
        ("", "text/plain", True),
    ],
)
def test_content_types(here: str, against: str, differ: bool) -> None:
    one, other = (Answer(200, {"content-type": each}, b"Hello") for each in (here, against))
    found = differences(Kind.TEXT, one, other, 0.02)
    assert kinds([*found]) == ([("header", "content-type")] if differ else [])


@pytest.mark.parametrize(
    ("kind", "here", "against", "expected"),
    [
        (Kind.TEXT, b'"Hello"', b"Hello", [("body", "")]),
        (Kind.CUES, b'{"text": "Hello"}', b"1\n", [("body", "")]),
        (Kind.JSON, b"Hello", b'{"text": "Hello"}', [("body", "")]),
        (Kind.JSON, b"", b"Hello", [("body", "")]),
        (Kind.JSON, b"Hello", b"Hallo", [("text", "body")]),
        (Kind.JSON, b'{"text": null}', b'{"text": "Hello"}', [("type", "text")]),
        (Kind.JSON, b'{"text": "a", "segments": 7}', b'{"text": "a", "segments": []}',
         [("type", "segments")]),
        (Kind.JSON, b'{"text": "a", "words": [1, {"start": "0"}]}', b'{"text": "a", "words": []}',
         []),
    ],
)  # fmt: skip
def test_bodies_of_any_kind(
    kind: Kind, here: bytes, against: bytes, expected: list[tuple[str, str]]
) -> None:
    """Whatever servers answer: a difference, never a failure."""
    one, other = Answer(200, {}, here), Answer(200, {}, against)
    assert kinds([*differences(kind, one, other, 0.02)]) == expected


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "a", "duration": 1e999, "words": [{"start": 1e999, "end": 1, "word": "a"}]}',
        b'{"text": "a", "duration": 1' + b"0" * 400 + b', "usage": [[]]}',
        b'{"text": "a", "segments": [[[{}]], {"start": true, "end": 1, "text": 7}]}',
        b'{"text": "a", "x": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"text": "a", "": {"": {"": []}}, "a.b": {"c[]": [1]}}',
        b'{"text": "\\ud800"}',
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("kind", Kind)
def test_no_body_is_a_failure(kind: Kind, body: bytes) -> None:
    plain = Answer(200, {"content-type": "text/event-stream"}, b'{"text": "a", "duration": 1.5}')
    strange = Answer(200, {"content-type": "text/event-stream"}, body)
    for one, other in ((plain, strange), (strange, plain)):
        found = differences(kind, one, other, 0.02)
        call = Call("any", kind)
        assert all(line.isprintable() for line in lines_of(Compared(call, (200, 200), found)))
        as_json((HERE, HERE), [Compared(call, (200, 200), found)], None).encode()
    assert differences(kind, strange, strange, 0.02) == []


def test_errors_are_compared_by_their_shape() -> None:
    ours = Answer(400, {}, b'{"error": {"message": "a", "type": "t", "param": null, "code": "c"}}')
    theirs = Answer(422, {}, b'{"detail": "b"}')

    assert kinds([*differences(Kind.STREAM, ours, theirs, 0.02)]) == [
        ("status", ""),
        ("missing", "detail"),
        ("additional", "error"),
    ]
    assert differences(Kind.CUES, ours, ours, 0.02) == []
