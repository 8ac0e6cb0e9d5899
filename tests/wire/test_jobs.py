"""Background jobs over the wire, of real speech: the same answers, by OpenAI's SDK as well."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any, cast

import httpx
import openai
import pytest

from tests.receiver import SECRET, Receiver
from tests.server import Server
from tests.wire.http import CLIP, SECONDS, TEXT, TRANSCRIPTIONS, TRANSLATIONS, post
from tests.wire.node_client import OpenAISdk
from tests.wire.promises import promises

BACKGROUND = {"background": "true", "language": "en"}
FORMATS = ("json", "text", "verbose_json", "srt", "vtt")
WORDS = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}


def made(server: Server, fields: dict[str, str], *, path: str = TRANSCRIPTIONS) -> str:
    """A job that is completed."""
    answer = post(server, {**BACKGROUND, **fields}, path=path)
    assert answer.status_code == 202, answer.text
    job_id = str(answer.json()["id"])
    job = ended(server, job_id)
    assert (job["status"], job["progress"]) == ("completed", 100), job
    return job_id


def ended(server: Server, job_id: str) -> dict[str, Any]:
    """A job as soon as it has ended."""
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        job = httpx.get(f"{server.url}{TRANSCRIPTIONS}/{job_id}", timeout=SECONDS).json()
        if job["completed_at"]:
            return cast("dict[str, Any]", job)
        time.sleep(0.05)
    raise AssertionError(job)


def content(server: Server, job_id: str, **query: str) -> httpx.Response:
    url = f"{server.url}{TRANSCRIPTIONS}/{job_id}/content"
    return httpx.get(url, params=query, timeout=SECONDS)


@promises(
    "Background jobs",
    "Real speech: `content` is the synchronous answer byte for byte, in all five formats",
    "extension",
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_content_is_the_synchronous_answer(server: Server, path: str) -> None:
    job_id = made(server, {}, path=path)
    for response_format in FORMATS:
        fields = {"language": "en", "response_format": response_format}
        expected = post(server, fields, path=path)
        answer = content(server, job_id, response_format=response_format)
        assert (answer.status_code, answer.content) == (200, expected.content)
        assert answer.headers["content-type"] == expected.headers["content-type"]


@promises("Background jobs", "The same for words", "extension")
def test_words_are_those_of_the_synchronous_answer(server: Server) -> None:
    expected = post(server, {"language": "en", **WORDS})
    job_id = made(server, WORDS)
    assert content(server, job_id).content == expected.content


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    """OpenAI's SDK as people have it."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0) as found:
        yield found


@promises(
    "Background jobs",
    'OpenAI\'s Python SDK: `extra_body={"background": True}`, and `client.get` for the rest',
    "extension",
)
def test_openai_sdk(server: Server, client: openai.OpenAI) -> None:
    with CLIP.open("rb") as file:
        raw = client.audio.transcriptions.with_raw_response.create(
            file=file, model="whisper-1", language="en", extra_body={"background": True}
        )
    assert raw.status_code == 202
    job = raw.http_response.json()
    ended(server, job["id"])
    told = client.get(f"/audio/transcriptions/{job['id']}", cast_to=object)
    assert cast("dict[str, Any]", told)["status"] == "completed"
    url = f"/audio/transcriptions/{job['id']}/content?response_format=text"
    assert client.get(url, cast_to=str) == f"{TEXT}\n"
    page = cast("dict[str, Any]", client.get("/audio/transcriptions?limit=1", cast_to=object))
    assert page["data"][0]["object"] == "transcription.job"
    deleted = client.delete(f"/audio/transcriptions/{job['id']}", cast_to=object)
    assert cast("dict[str, Any]", deleted)["deleted"] is True


@promises(
    "Background jobs",
    "OpenAI's Python SDK: `webhook_url` in `extra_body`; its `webhooks.verify_signature` takes the "
    "event",
    "extension",
)
def test_openai_sdk_verifies_a_webhook(
    server: Server, client: openai.OpenAI, receiver: Receiver
) -> None:
    wanted = {"background": True, "webhook_url": receiver.url(), "webhook_include": ["text"]}
    with CLIP.open("rb") as file:
        raw = client.audio.transcriptions.with_raw_response.create(
            file=file, model="whisper-1", language="en", extra_body=wanted
        )
    job_id = raw.http_response.json()["id"]
    delivery = receiver.told_of(job_id)
    body = delivery.body.decode()
    client.webhooks.verify_signature(body, delivery.headers, secret=SECRET)
    event = client.webhooks.unwrap(body, delivery.headers, secret=SECRET)
    assert (event.type, event.id) == ("transcription.completed", delivery.headers["webhook-id"])
    assert delivery.event["data"]["text"] == TEXT
    job = client.get(f"/audio/transcriptions/{job_id}", cast_to=object)
    assert cast("dict[str, Any]", job)["webhook"]["state"] in ("pending", "delivered")


@promises(
    "Background jobs",
    "OpenAI's Node SDK 6 and 7: `background: true` in `create`, `client.get` for the rest, lists "
    "by its `CursorPage`, and `webhooks.unwrap` takes the event",
    "extension",
)
def test_node_sdk(server: Server, node_sdk: OpenAISdk, receiver: Receiver) -> None:
    fields = {"model": "whisper-1", "language": "en", "webhook_url": receiver.url()}
    told = node_sdk.background(server, **fields).value
    assert told["made"]["object"] == "transcription.job"
    assert told["ended"]["status"] == "completed"
    assert told["text"] == f"{TEXT}\n"
    # Two pages of one each.
    assert told["listed"] == [told["ended"]["id"], told["other"]["id"]]

    delivery = receiver.told_of(told["ended"]["id"])
    taken = [delivery.body.decode(), delivery.headers]
    event = node_sdk.call(server, "webhooks.unwrap", *taken, SECRET, 300).value
    assert event["type"] == "transcription.completed"
    other = f"{SECRET[:-5]}AAAA="
    refused = node_sdk.call(server, "webhooks.unwrap", *taken, other, 300).error
    assert refused.name == "InvalidWebhookSignatureError"


@promises("JSON bodies", "`background`: a job, as of a form", "extension")
def test_json_body_makes_a_job_too(server: Server) -> None:
    data = base64.b64encode(CLIP.read_bytes()).decode()
    body = {"model": "whisper-1", "input_audio": {"data": data}, "background": True}
    answer = httpx.post(f"{server.url}{TRANSCRIPTIONS}", json=body, timeout=SECONDS)
    assert answer.status_code == 202
    assert ended(server, answer.json()["id"])["status"] == "completed"
