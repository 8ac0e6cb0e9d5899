"""A served model over the wire: OpenAI's SDK, BentoML's client, curl and plain HTTP."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from pathlib import Path

import bentoml
import httpx
import openai
import pytest

from models.checkpoints.weights import Weights
from tests.server import SECONDS, Server, failing_start, serving, strict_sdk
from tests.speech_clips import BROKEN, Clip, clips, jfk

COUNTRY = (
    "And so my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country."
)
GERMAN = next(c for c in clips(language="de") if not c.is_long)


@pytest.fixture(scope="module")
def server(
    weights: Callable[[str], Weights], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    weights("base"), weights("tiny.en")
    output = tmp_path_factory.mktemp("server") / "output.txt"
    # In float32 the text is that of openai-whisper on any CPU.
    with serving(output, WHISPER_MODELS="base,tiny.en", WHISPER_DTYPE="float32") as running:
        yield running


@pytest.fixture
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with strict_sdk(server) as client:
        yield client


def post(server: Server, path: str = "/v1/audio/transcriptions", **fields: str) -> httpx.Response:
    form = {"model": "whisper-1", **fields}
    with jfk().path.open("rb") as file:
        return httpx.post(f"{server.url}{path}", files={"file": file}, data=form, timeout=120)


def test_start_says_model_device_dtype_and_url(server: Server) -> None:
    lines = [line for line in server.printed.splitlines() if "whisper-base:" in line]

    assert len(lines) == 1
    assert "on cpu (" in lines[0]
    assert "no CUDA device found) in float32" in lines[0]
    assert lines[0].endswith(f"at {server.url}")


@pytest.mark.parametrize("model", ["whisper-1", "base", "whisper-base", "openai/whisper-base"])
def test_openai_sdk_transcribes_by_every_name(sdk: openai.OpenAI, model: str) -> None:
    transcription = sdk.audio.transcriptions.create(file=jfk().path, model=model)

    assert transcription.text == COUNTRY


def test_openai_sdk_verbose_json(sdk: openai.OpenAI) -> None:
    transcription = sdk.audio.transcriptions.create(
        file=jfk().path, model="whisper-1", response_format="verbose_json"
    )

    assert (transcription.language, transcription.duration) == ("english", 11.0)
    assert transcription.segments is not None
    assert "".join(segment.text for segment in transcription.segments).strip() == COUNTRY
    assert transcription.segments[-1].end <= 11.0


def test_openai_sdk_streams(sdk: openai.OpenAI) -> None:
    stream = sdk.audio.transcriptions.create(file=jfk().path, model="whisper-1", stream=True)

    *deltas, done = list(stream)
    assert "".join(event.delta for event in deltas if "delta" in event.type) == COUNTRY  # type: ignore[union-attr]
    assert (done.type, done.text) == ("transcript.text.done", COUNTRY)  # type: ignore[union-attr]


def test_openai_sdk_logprobs(sdk: openai.OpenAI) -> None:
    transcription = sdk.audio.transcriptions.create(
        file=jfk().path, model="whisper-1", include=["logprobs"]
    )

    tokens = transcription.logprobs or []
    assert b"".join(bytes(int(b) for b in token.bytes or []) for token in tokens) == (
        COUNTRY.encode()
    )
    assert all(token.logprob is not None and -5 < token.logprob <= 0 for token in tokens)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_openai_sdk_translates(sdk: openai.OpenAI) -> None:
    spoken = sdk.audio.transcriptions.create(file=GERMAN.path, model="base", language="de")
    english = sdk.audio.translations.create(file=GERMAN.path, model="base")

    assert english.text
    assert english.text != spoken.text


def test_bentoml_client_transcribes_and_translates(server: Server) -> None:
    with bentoml.SyncHTTPClient(server.url) as client:
        transcript = client.transcribe(file=jfk().path, temperature=0)
        prompted = client.transcribe(file=jfk().path, prompt="2024")
        translation = client.translate(file=GERMAN.path, model="base")

    assert transcript["text"] == COUNTRY
    assert "ask what you can do for your country" in prompted["text"]
    assert translation["task"] == "translate"
    assert translation["text"]


def test_curl_transcribes_and_translates(server: Server) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    for path, clip in (("transcriptions", jfk()), ("translations", GERMAN)):
        url = f"{server.url}/v1/audio/{path}"
        command = [curl, "-sS", "--fail", url, "-F", f"file=@{clip.path}", "-F", "model=whisper-1"]
        done = subprocess.run(command, capture_output=True, check=True, timeout=120)
        assert json.loads(done.stdout)["text"]


FORMAT_NAMES = ("json", "text", "srt", "vtt", "verbose_json")


def test_httpx_transcribes_in_every_format(server: Server) -> None:
    answers = {name: post(server, response_format=name) for name in FORMAT_NAMES}

    assert {answer.status_code for answer in answers.values()} == {200}
    assert answers["json"].json()["text"] == COUNTRY
    assert answers["text"].text == f"{COUNTRY}\n"
    assert answers["vtt"].text == (f"WEBVTT\n\n00:00:00.000 --> 00:00:11.000\n{COUNTRY}\n\n")
    assert answers["verbose_json"].json()["segments"][0]["tokens"][0] == 50364


def test_httpx_translates_in_every_format(server: Server) -> None:
    path = "/v1/audio/translations"
    answers = {name: post(server, path, response_format=name) for name in FORMAT_NAMES}

    assert {answer.status_code for answer in answers.values()} == {200}
    said = "ask what you can do for your country."
    assert [name for name, answer in answers.items() if said not in answer.text] == []
    assert answers["verbose_json"].json()["task"] == "translate"


def test_models_and_health(server: Server) -> None:
    models = httpx.get(f"{server.url}/v1/models", timeout=SECONDS).json()["data"]
    health = httpx.get(f"{server.url}/health", timeout=SECONDS).json()

    assert {"whisper-1", "base", "whisper-base", "tiny.en"} <= {model["id"] for model in models}
    assert (
        httpx.get(f"{server.url}/v1/models/whisper-base", timeout=SECONDS).json()["object"]
        == "model"
    )
    assert (health["status"], health["default_model"]) == ("ok", "base")


def test_document_of_bentoml_has_the_native_endpoints(server: Server) -> None:
    paths = httpx.get(f"{server.url}/docs.json", timeout=SECONDS).json()["paths"]

    assert {"/transcribe", "/translate", "/v1/audio/transcriptions"} <= set(paths)


VARIANTS = [clip for clip in clips(kind="format variant") if clip.text]


@pytest.mark.parametrize("clip", VARIANTS, ids=lambda clip: clip.path.name)
def test_format_variant_gives_the_text(server: Server, clip: Clip) -> None:
    with clip.path.open("rb") as file:
        answer = httpx.post(
            f"{server.url}/v1/audio/transcriptions",
            files={"file": ("recording", file)},
            data={"model": "base"},
            timeout=120,
        )

    # Telephone quality costs a word or two.
    heard = SequenceMatcher(None, words(answer.json()["text"]), words(clip.text))
    assert heard.ratio() > 0.85


def words(text: str) -> list[str]:
    """The words without case and punctuation."""
    return re.findall(r"\w+", text.lower())


BAD_AUDIO = {path.name: path.read_bytes() for path in sorted(BROKEN.iterdir())} | {
    "nothing.wav": b"",
    "one-byte.wav": b"R",
    "text.mp3": b"These are words, not sound.\n" * 50,
}


@pytest.mark.parametrize("name", BAD_AUDIO)
@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/transcribe"])
def test_bad_audio_is_a_400_and_the_server_goes_on(server: Server, name: str, path: str) -> None:
    answer = httpx.post(
        f"{server.url}{path}",
        files={"file": (name, BAD_AUDIO[name])},
        data={"model": "base"},
        timeout=60,
    )

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "file")
    assert error["message"]
    assert "Traceback" not in server.printed
    assert httpx.get(f"{server.url}/readyz", timeout=SECONDS).status_code == 200


def test_empty_fields_of_native_endpoints_are_absent(server: Server) -> None:
    answer = post(server, "/transcribe", model="", language="", prompt="", temperature="")

    assert (answer.status_code, answer.json()["text"]) == (200, COUNTRY)


def test_redirect_to_a_native_endpoint_names_no_host(server: Server) -> None:
    answer = httpx.post(
        f"{server.url}/transcribe/", headers={"host": "elsewhere.example"}, timeout=SECONDS
    )

    assert (answer.status_code, answer.headers["location"]) == (307, "../transcribe")


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("language", "5", 400),
        ("temperature", "warm", 400),
        ("temperature", "3", 400),
        ("temperature", "null", 400),
        ("model", "5", 404),
        ("model", "null", 400),
    ],
)
def test_bad_values_of_native_endpoints_are_named(
    server: Server, field: str, value: str, status: int
) -> None:
    with jfk().path.open("rb") as file:
        answer = httpx.post(
            f"{server.url}/transcribe", files={"file": file}, data={field: value}, timeout=SECONDS
        )

    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", field)
    assert "Traceback" not in server.printed


def test_concurrent_requests_get_their_own_texts(server: Server) -> None:
    chosen = [clip for clip in clips() if clip.is_speech and not clip.is_long][:5]

    def text_of(path: Path) -> str:
        with path.open("rb") as file:
            answer = httpx.post(
                f"{server.url}/v1/audio/transcriptions",
                files={"file": file},
                data={"model": "base"},
                timeout=120,
            )
        return str(answer.json()["text"])

    alone = [text_of(clip.path) for clip in chosen]
    with ThreadPoolExecutor(len(chosen)) as pool:
        together = list(pool.map(text_of, [clip.path for clip in chosen]))

    assert together == alone


def test_stop_ends_with_status_0(weights: Callable[[str], Weights], tmp_path: Path) -> None:
    weights("tiny.en")
    with serving(tmp_path / "output.txt", WHISPER_DEFAULT_MODEL="tiny.en") as running:
        assert running.stop() == 0
    assert "Traceback" not in running.printed


def test_start_busy_port_names_port_and_variable(weights: Callable[[str], Weights]) -> None:
    weights("base")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        by_setting = failing_start(WHISPER_PORT=str(port))
        by_argument = failing_start(("--port", str(port)))

    for status, printed in (by_setting, by_argument):
        assert status == 1
        assert f"port {port} on 127.0.0.1 is in use" in printed
        assert "WHISPER_PORT" in printed
        assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"WHISPER_DEVICE": "gpu"}, "WHISPER_DEVICE='gpu': wanted auto, cpu, cuda or cuda:N"),
        ({"WHISPER_DEVICE": "cuda:99"}, "device 'cuda:99' was asked for, but PyTorch"),
        (
            {"WHISPER_DEVICE": "cpu", "WHISPER_DTYPE": "float16"},
            "float16 is not available on cpu here: take auto or float32",
        ),
        ({"WHISPER_MODELS": "nobodys"}, f"{sys.executable} -m cli import nobodys"),
    ],
)
def test_start_impossible_setting_is_one_line(
    weights: Callable[[str], Weights], settings: dict[str, str], said: str
) -> None:
    weights("base")

    status, printed = failing_start((), **settings)

    assert status == 1
    assert said in printed
    assert "Traceback" not in printed
