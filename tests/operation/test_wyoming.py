"""Wyoming's port through the life of a server: its start, its workers, and its end."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from wyoming.client import AsyncTcpClient
from wyoming.event import Event, Eventable
from wyoming.info import Describe
from wyoming.ping import Ping

from tests.operation.conftest import Seen
from tests.operation.processes import (
    LONGEST_SECONDS,
    end,
    eventually,
    files,
    mistreated,
    readiness,
    workers,
)
from tests.process_tree import of_each
from tests.server import Server, failing_start, free_port
from tests.wyoming_events import heard, pcm, say, utterance

TWO_WORKERS = json.dumps({"services": {"whisper": {"workers": 2}}})
# Of models that load when they are let.
GATED = "tests.operation.gated_loading:Whisper"
INITIALIZED = "Service whisper initialized"


def speech(times: int = 1) -> list[Eventable]:
    """Eleven seconds of speech, so many times."""
    return utterance(pcm() * times, language="en")


def ask(port: int, events: Sequence[Eventable], *last: str) -> list[Event]:
    """The events that come for these, up to one of a type of `last` or to the end."""

    async def asked() -> list[Event]:
        async with asyncio.timeout(LONGEST_SECONDS), AsyncTcpClient("127.0.0.1", port) as client:
            await say(client, events)
            return await heard(client, *last)

    return asyncio.run(asked())


class Speaker:
    """A client in the midst of what it says: it `is_heard`, and may stop when it `may_end`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.is_heard, self.may_end = threading.Event(), threading.Event()

    def speak(self, *, ends: bool = True) -> list[Event]:
        """The events that come for it."""
        return asyncio.run(self._speak(ends=ends))

    async def _speak(self, *, ends: bool) -> list[Event]:
        *sound, stop = speech()
        async with AsyncTcpClient("127.0.0.1", self._port) as client:
            await say(client, [*sound, Ping()])
            # What came before it has been taken.
            assert await client.read_event() == Event("pong")
            self.is_heard.set()
            if ends:
                await asyncio.to_thread(self.may_end.wait, LONGEST_SECONDS)
                await say(client, [stop])
            return await heard(client, "error")


def text_of(events: list[Event]) -> str:
    return "".join(event.data["text"] for event in events if event.type == "transcript")


def describe(port: int) -> list[str]:
    return [event.type for event in ask(port, [Describe()], "info")]


def metrics(server: Server) -> str:
    return httpx.get(f"{server.url}/metrics", timeout=LONGEST_SECONDS).text


def listening_worker(server: Server, port: int) -> psutil.Process:
    """The worker that has a client's connection."""

    async def found() -> list[psutil.Process]:
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            await client.read_event()
            return [each for each in workers(server) if is_connected(each, port)]

    [worker] = asyncio.run(found())
    return worker


def is_connected(process: psutil.Process, port: int) -> bool:
    [made] = of_each([process], lambda each: each.net_connections("tcp")) or [[]]
    return any(each.laddr.port == port and each.status == "ESTABLISHED" for each in made)


def test_port_stays_while_its_only_worker_is_replaced(home: Path) -> None:
    port, gate = free_port(), home / "gate"
    settings = {"WHISPER_WYOMING_PORT": str(port), "GATE": str(gate)}
    with mistreated(home, GATED, **settings) as server, ThreadPoolExecutor() as pool:
        worker = listening_worker(server, port)
        gate.touch()
        end(worker)
        # Neither is refused: the socket is the parent's.
        spoken = pool.submit(ask, port, speech(), "transcript-stop", "error")
        assert describe(port) == ["info"]
        # It has not waited for the models.
        gate.unlink()

        assert "fellow Americans" in text_of(spoken.result())
        assert eventually(lambda: server.printed.count(INITIALIZED) == 2)
        assert server.stop() == 0


def test_another_worker_takes_the_place_of_one_that_dies(home: Path) -> None:
    port, gate = free_port(), home / "gate"
    settings = {
        "BENTOML_CONFIG_OVERRIDES": TWO_WORKERS,
        "WHISPER_WYOMING_PORT": str(port),
        "GATE": str(gate),
    }
    with mistreated(home, GATED, **settings) as server:
        assert eventually(lambda: server.printed.count(INITIALIZED) == 2)
        first = listening_worker(server, port)
        # The next one is not there before the second has answered.
        gate.touch()
        end(first)
        assert describe(port) == ["info"]
        assert "fellow Americans" in text_of(ask(port, speech(), "transcript-stop"))

        second = listening_worker(server, port)
        assert second != first
        gate.unlink()
        assert eventually(lambda: server.printed.count(INITIALIZED) == 3)
        # The first one's place is taken, and its port is not.
        assert listening_worker(server, port) == second
        assert server.stop() == 0


def test_sigterm_lets_an_utterance_finish_and_refuses_new_ones(home: Path) -> None:
    port = free_port()
    settings = {"WHISPER_SHUTDOWN_SECONDS": "3600", "WHISPER_WYOMING_PORT": str(port)}
    with mistreated(home, **settings) as server, ThreadPoolExecutor() as pool:
        speaker = Speaker(port)
        spoken = pool.submit(speaker.speak)
        assert speaker.is_heard.wait(LONGEST_SECONDS)
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: readiness(server) == 503)

        [refused] = ask(port, speech())
        assert (refused.type, refused.data["code"]) == ("error", "shutting_down")
        assert server.process.poll() is None
        speaker.may_end.set()
        assert "fellow Americans" in text_of(spoken.result())
        assert server.process.wait(LONGEST_SECONDS) == 0
        assert "Traceback" not in server.printed
        assert files(home) == []


def test_utterance_past_the_end_is_cut_off_with_an_error(home: Path) -> None:
    port = free_port()
    settings = {"WHISPER_SHUTDOWN_SECONDS": "1", "WHISPER_WYOMING_PORT": str(port)}
    with mistreated(home, **settings) as server, ThreadPoolExecutor() as pool:
        speaker = Speaker(port)
        spoken = pool.submit(speaker.speak, ends=False)
        assert speaker.is_heard.wait(LONGEST_SECONDS)
        server.process.send_signal(signal.SIGTERM)

        assert server.process.wait(LONGEST_SECONDS) == 0
        assert spoken.result()[-1].data["code"] == "shutting_down"
        assert "Traceback" not in server.printed
        assert files(home) == []


def test_each_utterance_is_a_line_of_the_log(seen: Seen) -> None:
    def lines() -> list[dict[str, Any]]:
        every = [json.loads(line) for line in seen.server.lines]
        return [line for line in every if line.get("dialect") == "wyoming"]

    before = len(lines())
    ask(seen.wyoming_port, speech(), "transcript-stop")
    # A line is written when its answer has gone.
    assert eventually(lambda: len(lines()) == before + 1)

    spoken = lines()[-1]
    assert (spoken["path"], spoken["outcome"], spoken["model"]) == ("transcribe", "ok", "tiny.en")
    assert spoken["audio_seconds"] == 11.0
    assert spoken["request_id"]


def test_without_its_setting_nothing_of_it_is_there(plain: Server) -> None:
    [worker] = workers(plain)
    mapped = worker.net_connections("tcp")
    assert "yoming" not in plain.printed
    assert {each.laddr.port for each in mapped if each.status == "LISTEN"} == {
        int(plain.url.rpartition(":")[2])
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"WHISPER_WYOMING_HOST": "0.0.0.0"}, "the server does not listen for Wyoming on 0.0.0.0"),
        (
            {"WHISPER_WYOMING_HOST": "0.0.0.0", "WHISPER_API_KEYS": "a-key-of-the-tests"},
            "Wyoming has no API keys. Set WHISPER_ALLOW_ANYONE=true",
        ),
        ({"WHISPER_WYOMING_PORT": "99999"}, "WHISPER_WYOMING_PORT='99999': wanted a whole number"),
    ],
)
def test_start_is_refused(home: Path, settings: dict[str, str], message: str) -> None:
    given = {"WHISPER_WYOMING_PORT": str(free_port()), **settings}
    own = {"BENTOML_HOME": str(home), "WHISPER_DEFAULT_MODEL": "tiny.en"}
    status, said = failing_start((), **own, **given)

    assert status == 1
    assert message in said
    assert "Traceback" not in said
