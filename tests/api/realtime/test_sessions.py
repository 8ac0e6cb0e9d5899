"""Tests of sessions over a real socket: what each event does, and in which order it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

import pytest

from models.errors import DecodingError
from models.live.events import (
    Committed,
    Completed,
    Delta,
    Failed,
    LiveEvent,
    OpenText,
    SpeechStarted,
    SpeechStopped,
)
from models.live.live_options import AudioFormat
from models.text.transcript import TokenScore
from tests.api.realtime.running import (
    CLEAR,
    COMMIT,
    Client,
    Json,
    Running,
    append,
    audio_of,
    running,
    update,
    update_input,
)
from tests.wire.promises import promises

TURN = [
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """An open server."""
    with running() as started:
        yield started


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    """A client that has been greeted."""
    with server.client() as connected:
        assert connected.hear()["type"] == "session.created"
        yield connected


def tell(server: Running, *events: LiveEvent) -> None:
    """Let this happen in the last session."""
    for event in events:
        server.do(partial(server.sessions[-1].tell, event))


def types(events: list[Json]) -> list[str]:
    return [event["type"] for event in events]


@promises(
    "Live transcription",
    "a turn: `committed`, `conversation.item.added` and `done`, deltas, `completed`",
)
def test_a_turn_that_the_client_commits(client: Client) -> None:
    client.say(append(audio_of(500)), COMMIT)
    committed, added, done, delta, completed = (client.hear() for _ in range(5))

    item_id = committed["item_id"]
    assert types([committed, added, done, delta, completed]) == TURN
    assert item_id.startswith("item_")
    assert committed["previous_item_id"] is None
    assert added["item"] == done["item"]
    assert added["item"] == {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
    assert (delta["item_id"], delta["content_index"], delta["delta"]) == (item_id, 0, "24000 bytes")
    assert (completed["item_id"], completed["transcript"]) == (item_id, "24000 bytes")
    assert completed["languages"] == [{"code": "en"}]
    assert completed["usage"] == {
        "type": "tokens",
        "total_tokens": 13,
        "input_tokens": 10,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 10},
        "output_tokens": 3,
    }
    assert "logprobs" not in completed


def test_every_event_has_an_id_of_its_own_and_items_name_the_one_before(client: Client) -> None:
    client.say(*[append(audio_of(200)), COMMIT] * 3)
    heard = [client.hear() for _ in range(15)]

    assert len({event["event_id"] for event in heard}) == 15
    commits = [event for event in heard if event["type"] == TURN[0]]
    ids = [event["item_id"] for event in commits]
    assert [event["previous_item_id"] for event in commits] == [None, *ids[:2]]


@promises(
    "Live transcription",
    "a detected turn: `speech_started`, `speech_stopped`; one item id from start to end",
)
def test_a_turn_that_is_detected(server: Running, client: Client) -> None:
    tell(
        server,
        SpeechStarted(7, 120),
        Delta(7, "Hello"),
        SpeechStopped(7, 1900),
        Committed(7),
        Delta(7, " world"),
        Completed(7, "Hello world", "", 1.9, 19, 4),
    )
    heard = client.hear_until(TURN[-1])

    started, first, stopped, *rest = heard
    assert (started["type"], started["audio_start_ms"]) == (
        "input_audio_buffer.speech_started",
        120,
    )
    assert (stopped["type"], stopped["audio_end_ms"]) == ("input_audio_buffer.speech_stopped", 1900)
    assert types(rest) == TURN
    ids = {event.get("item_id") or event["item"]["id"] for event in heard}
    assert len(ids) == 1
    assert first["delta"] + rest[3]["delta"] == rest[4]["transcript"]
    assert "languages" not in rest[4]


def test_a_dropped_turn_is_not_the_one_before(server: Running, client: Client) -> None:
    tell(server, SpeechStarted(0, 0), SpeechStarted(1, 900), Committed(1))
    dropped, started, committed = (client.hear() for _ in range(3))

    assert dropped["item_id"] != started["item_id"] == committed["item_id"]
    assert committed["previous_item_id"] is None


@promises("Live transcription", "a turn that fails: `failed`, and the session goes on")
def test_a_turn_that_fails(server: Running, client: Client) -> None:
    tell(server, Committed(0), Failed(0, DecodingError("The engine failed.")))
    failed = client.hear_until("conversation.item.input_audio_transcription.failed")[-1]

    assert failed["error"] == {
        "message": "The engine failed.",
        "type": "server_error",
        "param": None,
        "code": None,
    }
    assert client.ask(CLEAR)["type"] == "input_audio_buffer.cleared"


def test_log_probabilities_are_told_where_they_are_asked_for(
    server: Running, client: Client
) -> None:
    scores = (TokenScore("Hé".encode(), -0.25),)
    client.ask(update(include=["item.input_audio_transcription.logprobs"]))
    tell(server, Delta(0, "Hé", scores), Committed(0), Completed(0, "Hé", "fr", 1, 10, 1, scores))
    heard = client.hear_until(TURN[-1])

    shown = [{"token": "Hé", "logprob": -0.25, "bytes": [72, 195, 169]}]
    assert heard[0]["logprobs"] == heard[-1]["logprobs"] == shown


@promises(
    "Live transcription",
    "`include`: `item.input_audio_transcription.open_text`, text that may still change",
    "extension",
)
def test_open_text_is_told_where_it_is_asked_for(server: Running, client: Client) -> None:
    tell(server, OpenText(0, "I sea"), Delta(0, "I see"))
    assert client.hear()["delta"] == "I see"

    client.ask(update(include=["item.input_audio_transcription.open_text"]))
    tell(server, OpenText(0, "a ship"))
    event = client.hear()

    assert event["type"] == "conversation.item.input_audio_transcription.open_text"
    assert (event["text"], event["content_index"]) == ("a ship", 0)


def test_an_ending_of_commit_and_clear(client: Client) -> None:
    client.say(append(audio_of(500)), {**COMMIT, "event_id": "commit_1"}, CLEAR)
    heard = [client.hear() for _ in range(6)]

    assert types(heard).index(TURN[0]) < types(heard).index("input_audio_buffer.cleared")
    assert TURN[-1] in types(heard)


def test_an_ending_of_commit_and_clear_without_speech(client: Client) -> None:
    client.say({**COMMIT, "event_id": "commit_1"}, CLEAR)
    error, cleared = client.hear(), client.hear()

    assert error["error"]["code"] == "input_audio_buffer_commit_empty"
    assert error["error"]["event_id"] == "commit_1"
    assert error["error"]["param"] is None
    assert cleared["type"] == "input_audio_buffer.cleared"


@promises(
    "Live transcription", "the `event_id` of a client's event is in the `error` that it caused"
)
def test_an_event_id_is_told_in_the_error_it_caused_and_nowhere_else(client: Client) -> None:
    wrong = {**update_input(enabled=True), "event_id": "mine_1"}
    right = {**update_input(turn_detection=None), "event_id": "mine_2"}

    error = client.ask(wrong)
    assert error["error"]["event_id"] == "mine_1"
    assert error["event_id"] != "mine_1"
    assert "mine_2" not in json.dumps(client.ask(right))
    assert client.ask("{")["error"]["event_id"] is None


@promises("Live transcription", "an update is taken whole or not at all")
def test_a_refused_update_changes_nothing(server: Running, client: Client) -> None:
    before = client.ask(update_input(turn_detection={"threshold": 0.75}))["session"]
    configured = len(server.sessions[-1].configured)
    half = update_input(transcription={"language": "de", "model": "none"}, noise_reduction={})

    error = client.ask(half)["error"]
    assert (error["code"], error["param"]) == (
        "model_not_found",
        "session.audio.input.transcription.model",
    )
    assert len(server.sessions[-1].configured) == configured
    assert client.ask(update())["session"] == before


def test_an_update_reaches_the_models_in_its_order(server: Running, client: Client) -> None:
    live = server.sessions[-1]
    client.say(append(audio_of(200)))
    client.ask(update_input(format={"type": "audio/pcmu"}, transcription={"model": "tiny.en"}))

    assert len(live.appended) == 1
    assert live.options.format == AudioFormat("g711_ulaw", 8000)
    assert live.options.model == "tiny.en"


def test_events_sent_at_once_are_obeyed_in_their_order(server: Running) -> None:
    with server.client() as client:
        client.say(*[append(audio_of(1000))] * 16, COMMIT, COMMIT, update(), CLEAR, "{", CLEAR)
        heard = client.hear_until("input_audio_buffer.cleared")
        heard += client.hear_until("input_audio_buffer.cleared")

    assert types(heard) == [
        "session.created",
        *TURN,
        "error",
        "session.updated",
        "input_audio_buffer.cleared",
        "error",
        "input_audio_buffer.cleared",
    ]
    assert heard[5]["transcript"] == f"{16 * 48_000} bytes"


def test_an_update_changes_what_is_told_from_its_place_on(client: Client) -> None:
    with_scores = update(include=["item.input_audio_transcription.logprobs"])
    turn = (append(audio_of(500)), COMMIT)
    client.say(*turn, with_scores, *turn, {"type": "transcription_session.update", "session": {}})
    heard = client.hear_until("transcription_session.updated")

    assert types(heard[:-1]) == [*TURN, "session.updated", *TURN]
    assert ["logprobs" in each for each in heard if each["type"] == TURN[-1]] == [False, True]


@pytest.mark.parametrize("audio", [b"", b"\1", b"\1\2\3"])
def test_audio_of_any_number_of_bytes_is_handed_on(
    server: Running, client: Client, audio: bytes
) -> None:
    client.say(append(audio))
    client.ask(CLEAR)

    assert server.sessions[-1].appended == [audio]


def test_a_frame_of_bytes_is_read_as_text(client: Client) -> None:
    assert client.ask(json.dumps(CLEAR).encode())["type"] == "input_audio_buffer.cleared"
    assert client.ask(b"\xff\x00")["error"]["code"] == "invalid_event"


def test_a_session_without_transcription_is_heard_by_no_model(server: Running) -> None:
    with server.client() as client:
        client.hear()
        client.ask(update_input(transcription=None))
        client.say(*[append(audio_of(500)), COMMIT] * 2, CLEAR)
        heard = [client.hear() for _ in range(7)]

    assert server.sessions[-1].options.model is None
    assert types(heard) == [*TURN[:3], *TURN[:3], "input_audio_buffer.cleared"]
    assert heard[3]["previous_item_id"] == heard[0]["item_id"]


BETA = {"openai-beta": "realtime=v1"}


@promises(
    "Live transcription",
    "`OpenAI-Beta: realtime=v1` and `transcription_session.update`: the beta shape",
    "extension",
    "hosted has switched it off",
)
def test_the_beta_shape(server: Running) -> None:
    flat = {
        "input_audio_format": "g711_alaw",
        "input_audio_transcription": {"model": "tiny.en", "language": "en"},
        "turn_detection": {"type": "server_vad", "silence_duration_ms": 650},
        "input_audio_noise_reduction": {"type": "near_field"},
        "include": ["item.input_audio_transcription.logprobs"],
    }
    with server.client(headers=BETA) as client:
        created = client.hear()
        updated = client.ask({"type": "transcription_session.update", "session": flat})
        client.say(append(audio_of(500)), COMMIT)
        turn = [client.hear() for _ in range(4)]

    assert created["type"] == "transcription_session.created"
    assert created["session"]["input_audio_format"] == "pcm16"
    assert created["session"]["input_audio_transcription"]["model"] == "base"
    assert updated["type"] == "transcription_session.updated"
    shown = updated["session"]
    assert shown["input_audio_format"] == "g711_alaw"
    assert shown["input_audio_transcription"]["model"] == "tiny.en"
    assert shown["turn_detection"]["silence_duration_ms"] == 650
    assert shown["input_audio_noise_reduction"] == {"type": "near_field"}
    assert shown["include"] == flat["include"]
    assert "audio" not in shown
    assert types(turn) == [TURN[0], "conversation.item.created", *TURN[3:]]


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        (
            {"input_audio_transcription": {"enabled": True}},
            "unknown_parameter",
            "session.input_audio_transcription.enabled",
        ),
        ({"input_audio_format": "mp3"}, "invalid_value", "session.input_audio_format"),
        ({"turn_detection": {"threshold": 2}}, "invalid_value", "session.turn_detection.threshold"),
        ({"voice": "alloy"}, "unknown_parameter", "session.voice"),
        ({"audio": {}}, "unknown_parameter", "session.audio"),
        (
            {"input_audio_transcription": {"model": "none"}},
            "model_not_found",
            "session.input_audio_transcription.model",
        ),
    ],
)
def test_errors_of_the_beta_shape_name_its_fields(
    client: Client, session: Json, code: str, param: str
) -> None:
    error = client.ask({"type": "transcription_session.update", "session": session})["error"]

    assert (error["code"], error["param"]) == (code, param)
    assert "audio.input" not in error["message"]
