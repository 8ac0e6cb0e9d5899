"""The realtime API over a real server: speech in, turns out, with raw clients and real models."""

from __future__ import annotations

import json
import re
import time

import pytest
from websockets.exceptions import InvalidStatus

from tests.server import Server
from tests.wire.conftest import KEY
from tests.wire.http import SECONDS, TEXT
from tests.wire.promises import promises
from tests.wire.realtime_client import (
    CLEAR,
    CLEARED,
    COMMIT,
    COMMITTED,
    COMPLETED,
    DELTA,
    JFK,
    MANUAL,
    Json,
    appends,
    pcm,
    silence,
    talking,
    update_input,
)


def joined_deltas(events: list[Json]) -> dict[str, str]:
    """The deltas of each item, joined."""
    found: dict[str, str] = {}
    for event in events:
        if event["type"] == DELTA:
            found[event["item_id"]] = found.get(event["item_id"], "") + event["delta"]
    return found


def lines_about(server: Server, request_id: str) -> list[str]:
    """The log lines with this id, once there is one."""
    deadline = time.monotonic() + SECONDS
    while request_id not in server.printed:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [line for line in server.printed.splitlines() if request_id in line]


@promises(
    "Live transcription",
    "a client that never updates its session gets text, by `server_vad`",
    "differs",
    "there `transcription` is null at first, and nothing is transcribed",
)
def test_a_client_that_never_updates_gets_turns(server: Server) -> None:
    with talking(server) as client:
        client.speak(pcm() + silence(1000))
        completed = client.hear_until(COMPLETED)

    assert completed["transcript"] == TEXT
    assert completed["languages"] == [{"code": "en"}]
    assert completed["usage"]["total_tokens"] > 0
    assert joined_deltas(client.heard) == {completed["item_id"]: TEXT}
    first, *others = [event for event in client.heard if "item_id" in event]
    assert first["type"] == "input_audio_buffer.speech_started"
    assert {event["item_id"] for event in others} == {first["item_id"]}
    stopped, committed = map(client.types().index, ("input_audio_buffer.speech_stopped", COMMITTED))
    assert stopped < committed


@promises("Live transcription", "`turn_detection` null: a turn is what the client commits")
@pytest.mark.parametrize("model", ["whisper-1", "base", "gpt-live-transcribe"])
def test_a_client_that_commits_gets_what_it_committed(server: Server, model: str) -> None:
    with talking(server, f"?model={model}") as client:
        client.say(MANUAL)
        assert client.transcript(pcm()) == TEXT
        assert client.transcript(pcm()) == TEXT

    assert list(joined_deltas(client.heard).values()) == [TEXT, TEXT]


@promises(
    "Live transcription",
    "`audio/pcm` at 24,000 Hz; also at 8,000, 16,000 and 48,000",
    "extension",
    "hosted documents 24,000",
)
@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
def test_every_rate_gives_the_same_words(server: Server, rate: int) -> None:
    with talking(server) as client:
        client.say(MANUAL, update_input(format={"type": "audio/pcm", "rate": rate}))
        assert client.transcript(pcm(rate=rate)) == TEXT


@promises("Live transcription", "live models: text before the commit, which is never taken back")
def test_text_comes_before_the_commit(server: Server) -> None:
    with talking(server, "?model=gpt-live-transcribe") as client:
        client.speak(pcm(JFK))
        first = client.hear_until(DELTA)
        client.say(COMMIT)
        completed = client.hear_until(COMPLETED)

    assert COMMITTED not in client.types()[: client.heard.index(first)]
    # Where a sentence begins is for the updates to say, which come as the machine has time.
    assert "what you can do for your country" in completed["transcript"]
    assert joined_deltas(client.heard) == {completed["item_id"]: completed["transcript"]}


@promises("Live transcription", "`audio/pcmu`, `audio/pcma`")
@pytest.mark.parametrize(("name", "codec"), [("pcmu", "pcm_mulaw"), ("pcma", "pcm_alaw")])
def test_telephone_audio(server: Server, name: str, codec: str) -> None:
    with talking(server) as client:
        client.say(MANUAL, update_input(format={"type": f"audio/{name}"}))
        assert client.transcript(pcm(rate=8_000, codec=codec)) == TEXT


@promises("Live transcription", "a format counts from its update on", "extension")
def test_a_format_counts_from_its_update_on(server: Server) -> None:
    audio, half = pcm(), 48_000
    rest = pcm(rate=48_000)[2 * half :]
    with talking(server) as client:
        client.say(MANUAL, *appends(audio[:half]))
        client.say(update_input(format={"type": "audio/pcm", "rate": 48_000}))
        assert client.transcript(rest) == TEXT


@promises(
    "Live transcription",
    "a model counts from its update on; an unknown one is an `error`, and the session goes on",
    "extension",
)
def test_a_model_counts_from_its_update_on(server: Server) -> None:
    with talking(server) as client:
        client.say(MANUAL, update_input(transcription={"model": "no-such-model"}))
        client.hear(), client.hear()
        assert client.hear()["error"]["code"] == "model_not_found"
        assert client.transcript(pcm()) == TEXT
        client.say(update_input(transcription={"model": "tiny.en"}))
        client.hear_until("session.updated")
        assert "comparatively modern" in client.transcript(pcm())


@promises("Live transcription", "appends of any number of bytes", "extension")
@pytest.mark.parametrize("size", [1, 3, 4801])
def test_appends_of_any_number_of_bytes(server: Server, size: int) -> None:
    audio = pcm(rate=8_000) + b"\0"
    with talking(server) as client:
        client.say(MANUAL, update_input(format={"type": "audio/pcm", "rate": 8_000}))
        client.say(*appends(audio[:6000], size), *appends(audio[6000:], max(size, 301)))
        client.say(*appends(b""), {"type": "input_audio_buffer.append", "audio": ""}, COMMIT)
        assert client.hear_until(COMPLETED)["transcript"] == TEXT


@promises("Live transcription", "a commit just before a `clear` is completed")
def test_an_ending_of_commit_and_clear(server: Server) -> None:
    with talking(server) as client:
        client.say(MANUAL, *appends(pcm()), {**COMMIT, "event_id": "last"}, CLEAR)
        client.hear_until(CLEARED)
        assert COMMITTED in client.types()
        while COMPLETED not in client.types():
            client.hear()

    [completed] = [event for event in client.heard if event["type"] == COMPLETED]
    assert completed["transcript"] == TEXT


@promises(
    "Live transcription",
    "where turns are detected, a commit without speech: `input_audio_buffer_commit_empty`",
)
def test_an_ending_without_speech(server: Server) -> None:
    with talking(server) as client:
        client.say(*appends(silence(500)), {**COMMIT, "event_id": "last"}, CLEAR)
        client.hear()
        error = client.hear()["error"]
        assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "last")
        assert client.hear()["type"] == CLEARED


@promises("Live transcription", "committed silence: `completed` with an empty text and `usage`")
def test_an_item_of_silence_is_empty(server: Server) -> None:
    with talking(server) as client:
        client.say(MANUAL)
        assert client.transcript(silence(2000)) == ""
    assert client.heard[-1]["usage"]["type"] == "tokens"


@promises(
    "Live transcription",
    "turns complete in the order of their commits; texts of two are not mixed",
    "extension",
    "hosted turns may complete in any order, which few clients expect",
)
def test_turns_are_completed_in_the_order_of_their_commits(server: Server) -> None:
    with talking(server) as client:
        client.say(MANUAL, *appends(pcm(JFK)), COMMIT, *appends(pcm()), COMMIT)
        first, second = client.hear_until(COMPLETED), client.hear_until(COMPLETED)

    commits = [event["item_id"] for event in client.heard if event["type"] == COMMITTED]
    assert commits == [first["item_id"], second["item_id"]]
    assert "your country" in first["transcript"]
    assert second["transcript"] == TEXT
    texts = [event["item_id"] for event in client.heard if event["type"] in (DELTA, COMPLETED)]
    assert texts == sorted(texts, key=commits.index)


@promises(
    "Live transcription",
    "`include`: `item.input_audio_transcription.logprobs`, in deltas and in `completed`",
)
def test_log_probabilities_join_to_the_transcript(server: Server) -> None:
    include = ["item.input_audio_transcription.logprobs"]
    update = {"type": "session.update", "session": {"type": "transcription", "include": include}}
    with talking(server) as client:
        client.say(MANUAL, update)
        assert client.transcript(pcm()) == TEXT

    completed, told = client.heard[-1], [e for e in client.heard if e["type"] == DELTA]
    assert b"".join(bytes(each["bytes"]) for each in completed["logprobs"]).decode() == TEXT
    assert [each for event in told for each in event["logprobs"]] == completed["logprobs"]


@promises(
    "Live transcription",
    "a session has one log line, in which is nothing that was said",
    "extension",
)
def test_a_session_has_one_log_line(server: Server) -> None:
    with talking(server, "?model=tiny.en") as client:
        assert client.connection.response
        request_id = client.connection.response.headers["x-request-id"]
        client.say(MANUAL)
        text = client.transcript(pcm())
    [line] = lines_about(server, request_id)

    assert "tiny.en, 1.9 s of audio (load 0.000, queue " in line
    assert "), turns 1, closed with 1000" in line
    decoded = re.search(r"decode (\d+\.\d+)\), turns", line)
    assert decoded
    assert float(decoded[1]) > 0
    assert text not in server.printed


@promises("Live transcription", "a key in a sub-protocol is in no log")
def test_a_key_among_the_sub_protocols_opens_and_is_in_no_log_line(guarded: Server) -> None:
    offered = ("openai-project.p", f"openai-insecure-api-key.{KEY}", "realtime")
    with talking(guarded, "?intent=transcription&model=tiny.en", protocols=offered) as client:
        assert client.connection.subprotocol == "realtime"
        assert client.connection.response
        request_id = client.connection.response.headers["x-request-id"]
        assert client.hear()["type"] == "session.created"

    [line] = lines_about(guarded, request_id)
    assert "by key-2: WS /v1/realtime 101 ok" in line
    assert KEY not in guarded.printed


@promises(
    "Live transcription",
    "a refused handshake: its status and OpenAI's envelope, before the upgrade",
)
@pytest.mark.parametrize(
    ("query", "path", "key", "status", "code"),
    [
        ("", "/v1/realtime", "a-wrong-key", 401, "invalid_api_key"),
        ("?model=whisper-9", "/v1/realtime", KEY, 404, "model_not_found"),
        ("?call_id=rtc_1", "/v1/realtime", KEY, 404, None),
        ("", "/v1/realtime/translations", KEY, 404, None),
        ("", "/", KEY, 404, None),
    ],
)
def test_a_handshake_is_refused_in_the_envelope(
    guarded: Server, query: str, path: str, key: str, status: int, code: str | None
) -> None:
    bearer = {"authorization": f"Bearer {key}"}
    with pytest.raises(InvalidStatus) as caught, talking(guarded, query, path=path, headers=bearer):
        pass
    response = caught.value.response

    assert response.status_code == status
    assert json.loads(response.body or b"")["error"]["code"] == code
    assert response.headers["x-request-id"].startswith("req_")
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert "without completing handshake" not in guarded.printed
