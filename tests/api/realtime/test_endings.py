"""Tests of how sessions end: by the client, by time, by the end of serving, and by faults."""

from __future__ import annotations

import logging
import socket
import struct
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from api.realtime import sending
from api.realtime.endpoint import Limits
from api.telemetry.logs import log_request
from models.live.events import Delta
from tests.api.realtime.running import (
    CLEAR,
    COMMIT,
    Client,
    Json,
    Running,
    append,
    audio_of,
    running,
    update_input,
    wait_for,
)
from tests.wire.promises import promises

DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"
SHORT = Limits(2, 1, "medium")


def heard_to_the_end(client: Client) -> tuple[list[Json], int, str]:
    """The rest of the events, and the code and reason of the close."""
    heard: list[Json] = []
    with suppress(ConnectionClosed):
        while True:
            heard.append(client.hear())
    connection = client.connection
    assert connection.close_code is not None
    return heard, connection.close_code, connection.close_reason or ""


def metric(server: Running, series: str) -> float:
    """The value of a series."""
    [line] = [
        line
        for line in server.metrics.exposition().decode().splitlines()
        if line.startswith(f"{series} ")
    ]
    return float(line.split()[1])


def test_a_client_that_leaves_ends_the_work() -> None:
    with running() as server:
        with server.client() as client:
            client.say(append(audio_of(500)), COMMIT)
            client.hear_until(COMPLETED)
            assert metric(server, "whisper_realtime_sessions") == 1
        observed = server.last()

        assert server.sessions[-1].closed == 1
        assert not server.sessions[-1].finished
        assert (observed.status, observed.outcome, observed.model) == (101, "ok", "base")
        assert observed.session
        assert (observed.session.turns, observed.session.close_code) == (1, 1000)
        assert observed.session.audio_seconds == 0.5
        assert metric(server, "whisper_realtime_sessions") == 0
        assert metric(server, 'whisper_realtime_audio_seconds_total{model="base"}') == 0.5
        turns = 'whisper_realtime_turns_total{model="base",outcome="completed"}'
        assert metric(server, turns) == 1
        assert metric(server, 'whisper_realtime_final_seconds_count{model="base"}') == 1
        assert metric(server, 'whisper_realtime_word_lag_seconds_sum{model="base"}') == 0.5
        stages = 'whisper_realtime_stage_seconds_total{model="base",stage="decode"}'
        assert metric(server, stages) == 2.0
        assert (observed.stats.windows, observed.stats.tokens) == (1, 3)


def test_a_session_has_one_log_line_without_what_was_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running(api_keys="a-key-of-the-tests") as server, caplog.at_level(logging.INFO):
        protocols = ("realtime", "openai-insecure-api-key.a-key-of-the-tests")
        with server.client("?model=tiny.en", protocols=protocols) as client:
            client.ask(update_input(transcription={"prompt": "a private prompt"}))
            client.say(append(audio_of(500)), COMMIT)
            client.hear_until(COMPLETED)
        log_request(server.last())

    [line] = [record for record in caplog.records if record.name == "bentoml.access"]
    assert line.getMessage().startswith(f"{server.last().request_id} by key-1: WS /v1/realtime 101")
    stages = "load 0.000, queue 0.000, encode 0.000, decode 2.000"
    ending = f"tiny.en, 0.5 s of audio ({stages}), turns 1, closed with 1000"
    assert line.getMessage().endswith(ending)
    fields = vars(line)["fields"]
    assert fields["decode_seconds"] == 2.0
    assert (fields["turns"], fields["close_code"], fields["audio_seconds"]) == (1, 1000, 0.5)
    assert (fields["key_name"], fields["model"]) == ("key-1", "tiny.en")
    for secret in ("a-key-of-the-tests", "24000 bytes", "private"):
        assert secret not in caplog.text


def test_a_refusal_has_a_log_line_too(caplog: pytest.LogCaptureFixture) -> None:
    with running() as server, caplog.at_level(logging.INFO):
        server.refusal("?model=none")
        log_request(server.last())

    assert "WS /v1/realtime 404 invalid" in caplog.text


@promises(
    "Live transcription",
    "the end of a session's time, an hour: its turns complete, `session_expired`, close 1001",
)
def test_a_session_that_has_lasted_too_long_completes_its_turns() -> None:
    with running(limits=SHORT, script={"hold": True}) as server, server.client() as client:
        created = client.hear()["session"]
        client.say(append(audio_of(500)), COMMIT, append(audio_of(300)))
        heard, code, reason = heard_to_the_end(client)

        assert abs(created["expires_at"] - time.time()) < 30
        assert [each["transcript"] for each in heard if each["type"] == COMPLETED] == [
            "24000 bytes",
            "14400 bytes",
        ]
        assert heard[-1]["error"]["code"] == "session_expired"
        assert heard[-1]["error"]["type"] == "invalid_request_error"
        assert code == CloseCode.GOING_AWAY
        assert reason
        assert server.last().outcome == "ok"
        assert server.sessions[-1].closed == 1


@promises(
    "Live transcription", "the end of serving: the open turn completes, close 1001", "extension"
)
def test_the_end_of_serving_completes_the_open_turn() -> None:
    with running(script={"hold": True}) as server, server.client() as client:
        client.say(append(audio_of(500)))
        assert client.ask(CLEAR)["type"] == "session.created"
        client.say(append(audio_of(400)))
        wait_for(lambda: len(server.sessions[-1].appended) == 2)
        server.do(server.drain.begin)
        heard, code, _ = heard_to_the_end(client)

        assert heard[-1]["transcript"] == "19200 bytes"
        assert "error" not in [each["type"] for each in heard]
        assert code == CloseCode.GOING_AWAY


def test_a_turn_that_takes_too_long_does_not_keep_the_server() -> None:
    with running() as server, server.client() as client:
        client.hear()
        server.drain.seconds = 0.2
        server.sessions[-1].stuck = True
        server.do(server.drain.begin)
        _, code, _ = heard_to_the_end(client)

        assert code == CloseCode.GOING_AWAY
        assert server.sessions[-1].closed == 1


def test_a_fault_is_an_error_and_a_close_with_1011() -> None:
    script = {"failure": RuntimeError("secret detail")}
    with running(script=script) as server, server.client() as client:
        client.say(append(audio_of(500)))
        heard, code, _ = heard_to_the_end(client)

        assert [each["type"] for each in heard] == ["session.created", "error"]
        assert heard[-1]["error"]["type"] == "server_error"
        assert "secret detail" not in str(heard)
        assert code == CloseCode.INTERNAL_ERROR
        assert (server.last().outcome, server.last().status) == ("failed", 500)


def test_a_session_that_cannot_be_opened_is_a_fault_too() -> None:
    with running(script={"broken": True}) as server, server.client() as client:
        heard, code, _ = heard_to_the_end(client)

        assert [each["error"]["type"] for each in heard] == ["server_error"]
        assert "secret detail" not in str(heard)
        assert code == CloseCode.INTERNAL_ERROR
        assert (server.last().outcome, server.last().status) == ("failed", 500)
        assert metric(server, "whisper_realtime_sessions") == 0


def test_a_fault_of_the_writer_is_none_of_the_clients(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Json) -> bytes:
        raise RuntimeError(event["type"])

    with running() as server, server.client() as client:
        client.hear()
        monkeypatch.setattr(sending, "to_json", broken)
        client.say(CLEAR)
        heard, code, _ = heard_to_the_end(client)

        assert (heard, code) == ([], CloseCode.INTERNAL_ERROR)
        assert (server.last().outcome, server.last().status) == ("failed", 500)
        assert server.sessions[-1].closed == 1
    assert "A realtime session failed" in caplog.text


def test_a_client_that_leaves_while_it_is_made_to_wait_is_noticed() -> None:
    with running(script={"full": True}) as server:
        with server.client() as client:
            client.hear()
            client.say(append(audio_of(500)))
            wait_for(lambda: bool(server.sessions[-1].appended))
        observed = server.last()

        assert observed.session
        assert (observed.outcome, observed.session.close_code) == ("ok", 1000)
        assert server.sessions[-1].closed == 1


def test_a_turn_counts_for_the_model_that_heard_it() -> None:
    with running(script={"hold": True}) as server, server.client() as client:
        client.hear()
        update_model = update_input(transcription={"model": "tiny.en"})
        client.say(append(audio_of(500)), COMMIT, update_model)
        client.hear_until("session.updated")
        server.do(server.sessions[-1].release)
        client.hear_until(COMPLETED)

        turns = 'whisper_realtime_turns_total{model="base",outcome="completed"}'
        assert metric(server, turns) == 1
        assert metric(server, 'whisper_realtime_final_seconds_count{model="base"}') == 1


STAGES = 'whisper_realtime_stage_seconds_total{model="base",stage="decode"}'


def test_the_engines_time_counts_while_a_turn_is_spoken() -> None:
    with running() as server, server.client() as client:
        client.hear()
        session = server.sessions[-1]

        def hear() -> None:
            session.decode(1.5)
            session.tell(Delta(0, " more"))

        for seconds in (1.5, 3.0):
            server.do(hear)
            client.hear_until(DELTA)
            assert metric(server, STAGES) == seconds


def test_the_engines_time_of_a_client_that_leaves_within_a_turn_counts() -> None:
    with running(script={"decoded_at_the_end": 4.0}) as server:
        with server.client() as client:
            client.hear()
            server.do(lambda: server.sessions[-1].decode(1.5))
        observed = server.last()

        assert observed.stats.stages["decode"].seconds == 5.5
        assert metric(server, STAGES) == 5.5


def test_a_live_session_that_ends_by_itself_is_a_fault() -> None:
    with running() as server, server.client() as client:
        client.hear()
        server.do(lambda: server.sessions[-1].tell(None))
        heard, code, _ = heard_to_the_end(client)

        assert (heard[-1]["type"], code) == ("error", CloseCode.INTERNAL_ERROR)


def test_a_client_that_vanishes_is_noticed() -> None:
    with running() as server:
        with server.client() as client:
            client.hear()
            # Reset: no close frame, no FIN. The client's thread, which reads, has to let go first.
            linger = struct.pack("ii", 1, 0)
            client.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.connection.socket.shutdown(socket.SHUT_RD)
            client.connection.socket.close()
            observed = server.last()

        assert observed.session
        assert observed.session.close_code == 1005
        assert server.sessions[-1].closed == 1


def test_others_go_on_when_one_fails() -> None:
    with running() as server, server.client() as good, server.client() as bad:
        good.hear(), bad.hear()
        server.sessions[-1].failure = RuntimeError()
        bad.say(append(audio_of(100)))
        assert heard_to_the_end(bad)[1] == CloseCode.INTERNAL_ERROR
        assert good.ask(CLEAR)["type"] == "input_audio_buffer.cleared"
