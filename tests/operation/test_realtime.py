"""Live sessions through the life of a server, and beside clients that behave badly."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from tests.operation.processes import (
    LONGEST_SECONDS,
    end,
    eventually,
    mistreated,
    readiness,
    workers,
)
from tests.server import Server
from tests.wire.realtime_client import (
    CLEAR,
    CLEARED,
    COMMIT,
    COMMITTED,
    COMPLETED,
    JFK,
    MANUAL,
    PATH,
    Client,
    appends,
    pcm,
    silence,
    talking,
    update_input,
)

MIB = 1024**2


def sessions(server: Server) -> int:
    """How many are open."""
    text = httpx.get(f"{server.url}/metrics", timeout=LONGEST_SECONDS).text
    [line] = [each for each in text.splitlines() if each.startswith("whisper_realtime_sessions ")]
    return int(float(line.split()[1]))


def shaken_hands(server: Server) -> socket.socket:
    """A connection that is a WebSocket by now, and does nothing more by itself."""
    address = urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=LONGEST_SECONDS)
    lines = (
        f"GET {PATH} HTTP/1.1",
        f"host: {address.netloc}",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    connection.sendall("\r\n".join((*lines, "", "")).encode())
    return connection


def frame(text: bytes) -> bytes:
    """A client's frame with this text, masked by zeros (RFC 6455, 5.2)."""
    size = len(text)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + text


def test_sigterm_completes_the_open_turn_and_refuses_new_sessions(home: Path) -> None:
    with mistreated(home) as server, talking(server) as client, ThreadPoolExecutor() as pool:
        client.hear()
        stopped = threading.Event()
        begun = appends(pcm(JFK)[: 2 * 48_000])

        def speak() -> None:
            for event in cycle(begun):
                if stopped.wait(0.1):
                    return
                client.say(event)

        client.say(*begun)
        client.hear_until("input_audio_buffer.speech_started")
        speaking = pool.submit(speak)
        server.process.send_signal(signal.SIGTERM)
        code = client.hear_all()
        stopped.set()
        with suppress(ConnectionClosed):
            speaking.result()

        assert code == CloseCode.GOING_AWAY
        assert client.types().count(COMMITTED) == client.types().count(COMPLETED) >= 1
        first = next(event for event in client.heard if event["type"] == COMPLETED)
        assert first["transcript"].startswith("And so")
        assert server.process.wait(LONGEST_SECONDS) == 0


def test_a_session_that_has_lasted_too_long_is_completed_and_closed(home: Path) -> None:
    with mistreated(home, WHISPER_REALTIME_SECONDS="8") as server, talking(server) as client:
        client.say(MANUAL, *appends(pcm(JFK)))
        code = client.hear_all()

    *_, completed, expired = client.heard
    assert "your country" in completed["transcript"]
    assert expired["error"]["code"] == "session_expired"
    assert code == CloseCode.GOING_AWAY


def status(server: Server, path: str, headers: dict[str, str]) -> int:
    """That of the answer to a GET with these headers."""
    return httpx.get(f"{server.url}{path}", headers=headers, timeout=LONGEST_SECONDS).status_code


def test_a_secret_outlives_its_worker_and_ends_with_its_server(home: Path) -> None:
    keys = {"WHISPER_API_KEYS": "a-key-of-the-tests"}
    headers = {"authorization": "Bearer a-key-of-the-tests"}
    with mistreated(home, **keys) as server:
        made = httpx.post(
            f"{server.url}/v1/realtime/client_secrets", headers=headers, timeout=LONGEST_SECONDS
        ).json()
        secret = {"authorization": f"Bearer {made['value']}"}
        with talking(server, headers=secret) as client:
            assert client.hear()["type"] == "session.created"
            [worker] = workers(server)
            end(worker)
            assert client.hear_all() == CloseCode.ABNORMAL_CLOSURE
        assert eventually(lambda: readiness(server) == 200)
        with talking(server, headers=secret) as client:
            client.say(MANUAL)
            assert "American" in client.transcript(pcm(JFK))
        assert status(server, "/v1/models", secret) == 401
    with mistreated(home, **keys) as server:
        upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        shaken = {**secret, **upgrade, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
        assert status(server, PATH, shaken) == 401


@pytest.fixture
def server(plain: Server) -> Server:
    """A server for clients that behave badly, beside which others are served."""
    assert eventually(lambda: sessions(plain) == 0)
    return plain


def test_a_client_that_reads_nothing_is_gone_and_others_go_on(server: Server) -> None:
    event = frame(json.dumps(update_input(transcription={"prompt": "a" * 8000})).encode())
    with shaken_hands(server) as connection, talking(server) as other:
        other.hear()
        assert eventually(lambda: sessions(server) == 2)
        connection.settimeout(5)
        with suppress(TimeoutError, ConnectionError):
            while True:
                connection.sendall(event)
        other.say(CLEAR)
        other.hear_until(CLEARED)
        assert eventually(lambda: sessions(server) == 1)


def test_a_minute_that_comes_in_three_seconds_is_heard_whole(server: Server) -> None:
    audio = (pcm(JFK) + silence(1000)) * 5
    with talking(server) as client, ThreadPoolExecutor() as pool:
        client.hear()
        pool.submit(client.say, *appends(audio, 48_000))
        text = ""
        while text.lower().count("country") < 10:
            text += client.hear_until(COMPLETED)["transcript"] + " "

    assert text.lower().count("americans") == 5


def flood(server: Server, seconds: float) -> tuple[float, float]:
    """Push speech as fast as it is taken, so long.

    The MiB pushed, and the most that memory grew by. The engine keeps a kernel for each length of
    sound: first as much is pushed as it takes to have made them.
    """
    [worker] = workers(server)
    events = appends((pcm(JFK) + silence(1000)) * 20, 48_000)
    with talking(server) as client:
        hearing = threading.Thread(target=client.hear_all, daemon=True)
        hearing.start()
        push_until_flat(client, worker, cycle(events))
        began, before, pushed, most = time.monotonic(), worker.memory_info().rss, 0, 0
        for event in cycle(events):
            client.say(event)
            pushed += len(event["audio"])
            most = max(most, worker.memory_info().rss - before)
            if time.monotonic() > began + seconds:
                break
        assert client.connection.close_code is None
    return pushed / MIB, most / MIB


def push_until_flat(
    client: Client, worker: psutil.Process, events: Iterator[dict[str, str]]
) -> None:
    """Push until memory has not grown by more than 2 MiB in 12 s; two minutes at most."""
    last = end = time.monotonic()
    most = worker.memory_info().rss
    while time.monotonic() < min(last + 12, end + LONGEST_SECONDS):
        client.say(next(events))
        memory = worker.memory_info().rss
        if memory > most + 2 * MIB:
            last, most = time.monotonic(), memory


def test_more_than_is_heard_makes_the_client_wait_and_costs_no_memory(server: Server) -> None:
    with shaken_hands(server) as silent, ThreadPoolExecutor() as pool:
        closed = pool.submit(until_closed, silent)
        # Longer than uvicorn waits for a pong.
        pushed, most = flood(server, 45)
        received, seconds = closed.result(LONGEST_SECONDS)

    assert pushed > 1
    assert most < 20
    # Beside it, a client that answers no ping is closed.
    assert received.endswith(b"keepalive ping timeout")
    assert seconds > 35
    assert eventually(lambda: sessions(server) == 0)


def until_closed(connection: socket.socket) -> tuple[bytes, float]:
    """What comes until the server closes, and the seconds that takes."""
    began, received = time.monotonic(), b""
    while piece := connection.recv(65536):
        received += piece
    return received, time.monotonic() - began


def mutated(random: Random) -> str | bytes:
    """A client event that something is wrong with, or nothing."""
    good = random.choice([CLEAR, COMMIT, MANUAL, *appends(silence(100))])
    text = json.dumps(good)
    at = random.randrange(len(text))
    match random.randrange(8):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + chr(random.randrange(1, 0xD800)) + text[at + 1 :]
        case 2:
            return text.replace('"', "", 1)
        case 3:
            values: list[object] = [None, 5, 1e308, [], {}, True, "x" * 1000, [[[]]], -1]
            return json.dumps({**good, random.choice(list(good)): random.choice(values)})
        case 4:
            return '{"type": "session.update", "session": ' + '{"audio":' * random.randrange(10_000)
        case 5:
            return '{"type": "input_audio_buffer.append", "audio": NaN}'
        case 6:
            return '{"type": "input_audio_buffer.append", "audio": "\\ud800"}'
        case _:
            return random.randbytes(at)


def test_mutated_events_are_errors_and_close_nothing(server: Server) -> None:
    random = Random(25)
    [worker] = workers(server)
    with talking(server) as client, ThreadPoolExecutor() as pool:
        client.hear()
        before = worker.memory_info().rss
        sending = pool.submit(client.say, *[mutated(random) for _ in range(5000)], "x" * MIB)
        sending.add_done_callback(lambda _: client.say({"type": "the.end"}))
        while True:
            event = client.hear()
            assert event["type"] in ("error", CLEARED, "session.updated") or "item" in str(event)
            if event["type"] == "error" and "the.end" in event["error"]["message"]:
                break
        client.say(MANUAL)
        client.hear_until("session.updated")
        assert "American" in client.transcript(pcm(JFK))
        assert worker.memory_info().rss - before < 60 * MIB
