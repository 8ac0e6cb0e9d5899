"""More than the server takes: refused with a time to come again, and nobody is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Barrier
from typing import Any

import httpx
import pytest

from models.capacity.admission import LONG_AT_ONCE
from models.checkpoints.weights import Weights
from tests.operation.traffic import (
    SECONDS,
    TRANSCRIPTIONS,
    begin,
    clip,
    health,
    is_idle,
    post,
    speech,
    until,
)
from tests.server import Server, serving

TEXT = "ask what you can do for your country"
# Minutes of work: no client that comes in the midst of it comes too late.
LONG = 900


@pytest.fixture(scope="module")
def server(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    weights("tiny.en")
    output = tmp_path_factory.mktemp("server") / "output.txt"
    with serving(
        output, WHISPER_DEFAULT_MODEL="tiny.en", WHISPER_SLOTS="1", WHISPER_QUEUE_SECONDS="66"
    ) as running:
        yield running


def again_until_served(http: httpx.Client, at_once: Barrier) -> list[httpx.Response]:
    """All answers to a client that comes with all others, and again when it is told to."""
    form: dict[str, Any] = {"files": {"file": ("a.flac", clip())}, "data": {"model": "whisper-1"}}
    at_once.wait(SECONDS)
    answers = [http.post(TRANSCRIPTIONS, **form)]
    while answers[-1].status_code == 503:
        time.sleep(int(answers[-1].headers["retry-after"]))
        answers.append(http.post(TRANSCRIPTIONS, **form))
    return answers


def test_overload_every_answer_is_the_text_or_a_time_to_come_again(server: Server) -> None:
    clients = 24
    with (
        ThreadPoolExecutor(clients) as pool,
        httpx.Client(base_url=server.url, timeout=SECONDS, limits=httpx.Limits()) as http,
    ):
        at_once = Barrier(clients)
        asked = [pool.submit(again_until_served, http, at_once) for _ in range(clients)]
        answers = [answer for each in asked for answer in each.result()]

    served = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(served) == clients
    assert len(served) + len(refused) == len(answers)
    assert all(TEXT in answer.json()["text"] for answer in served)
    # Six fit, two of which are worked on.
    assert len(refused) >= clients - 6
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert {answer.json()["error"]["code"] for answer in refused} == {"overloaded"}
    places = [int(answer.headers["x-queue-position"]) for answer in answers]
    assert (min(places), max(places)) == (0, 5)
    waits = [int(answer.headers["x-queue-seconds"]) for answer in answers]
    assert all((place > 0) == (wait > 0) for place, wait in zip(places, waits, strict=True))
    until(server, is_idle)


def test_overload_of_the_native_endpoints(server: Server) -> None:
    with closing(begin(server, "/transcribe", speech(LONG))):
        until(server, lambda said: said["queue"]["running"] == 1)
        refusal = httpx.post(
            f"{server.url}/transcribe", files={"file": ("a.flac", clip())}, timeout=SECONDS
        )

    assert refusal.status_code == 503
    assert refusal.json()["error"]["code"] == "overloaded"
    assert 1 <= int(refusal.headers["retry-after"]) <= 60
    assert refusal.headers["x-queue-position"] == "0"
    until(server, is_idle)


def test_recording_longer_than_the_queue_is_taken_when_there_is_no_other(server: Server) -> None:
    answer = post(server, speech(90))

    assert answer.status_code == 200
    assert TEXT in answer.json()["text"]


def test_short_clip_is_served_beside_long_files(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> None:
    weights("tiny.en")
    output = tmp_path_factory.mktemp("server") / "output.txt"
    with serving(output, WHISPER_DEFAULT_MODEL="tiny.en") as server, ExitStack() as others:
        for _ in range(LONG_AT_ONCE + 2):
            others.enter_context(closing(begin(server, TRANSCRIPTIONS, speech(LONG))))
        until(server, lambda said: said["queue"]["waiting"] == 2)

        answer = post(server, clip())

        assert TEXT in answer.json()["text"]
        assert answer.headers["x-queue-position"] == "0"
        assert health(server)["queue"]["waiting"] == 2
