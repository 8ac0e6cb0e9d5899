"""The server: how it is found and waited for, what it refuses, and what it is asked instead."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.keys import key_digest
from api.settings import Settings
from tests.client.conftest import Ran
from tests.client.serving import TEXT, api, app_of, speaking, started
from tests.server import SECONDS, STOP_SECONDS, free_port, listening

Run = Callable[..., Ran]
KEY = "a-key-of-the-tests"
KEYS = Settings(api_keys=(key_digest(KEY),))


@pytest.mark.parametrize("command", ["transcribe", "detect"])
def test_no_server(run: Run, recording: Path, command: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    status, out, errors = run(command, recording, "--url", url)
    assert (status, out) == (3, "")
    [line] = errors.splitlines()
    assert line.startswith(f"error: no answer from {url}/v1 (")
    assert "scripts/serve" in line


@contextmanager
def listening_at(app: ASGIApp, port: int) -> Iterator[None]:
    """A server of this app on this port, in a thread, ended with the block."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.force_exit = True
        server.should_exit = True
        thread.join(STOP_SECONDS)


def test_a_server_that_is_not_up_is_waited_for(recording: Path) -> None:
    app, port = app_of(speaking()), free_port()
    url = f"http://127.0.0.1:{port}"
    process = started(recording, "--timeout", str(SECONDS), "--url", url)
    assert process.stderr
    assert process.stderr.readline().decode().startswith(f"waiting: no answer from {url}/v1 (")
    with listening_at(app, port):
        out, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, out.decode()) == (0, f"{TEXT}\n")


@pytest.mark.parametrize("command", [["transcribe", "talk.mp3"], ["status"], ["detect", "a.mp3"]])
def test_wrong_key(run: Run, recording: Path, command: list[str]) -> None:
    names = [str(recording) if each.endswith(".mp3") else each for each in command]
    with api(speaking(), KEYS) as url:
        status, out, errors = run(*names, "--url", url, "--api-key", "a-wrong-one")
    assert (status, out) == (3, "")
    assert errors.startswith(f"error: {url}/v1 refuses the key: ")
    assert "a-wrong-one" not in errors


@pytest.mark.parametrize(
    ("option", "variable", "in_file", "status"),
    [
        (KEY, "wrong", "wrong", 0),
        (None, KEY, "wrong", 0),
        (None, None, f"{KEY}\n", 0),
        ("wrong", KEY, KEY, 3),
        (None, "wrong", KEY, 3),
    ],
)
def test_option_beats_environment_beats_file(
    run: Run,
    recording: Path,
    option: str | None,
    variable: str | None,
    in_file: str,
    status: int,
) -> None:
    (file := recording.with_name("key")).write_text(in_file, encoding="utf-8")
    options = ["--api-key", option] if option else []
    with api(speaking(), KEYS) as url:
        environ = {"WHISPER_URL": url} | ({"OPENAI_API_KEY": variable} if variable else {})
        ended, out, errors = run(recording, *options, "--api-key-file", file, **environ)
    assert ended == status
    assert KEY not in out + errors


def test_option_beats_variables_of_the_address(run: Run, recording: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with api(speaking()) as url:
        assert run(recording, "--url", url, WHISPER_URL=nobody)[0] == 0
        assert run(recording, WHISPER_URL=url, OPENAI_BASE_URL=nobody)[0] == 0
        assert run(recording, OPENAI_BASE_URL=f"{url}/v1")[0] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--url", "localhost:8000"), "begins with http:// or https://"),
        (("--api-key", "a b"), "the key has characters that no key has"),
        (("--api-key-file", "/no/such/file"), "the key file /no/such/file cannot be read"),
    ],
)
def test_malformed_address_and_key(run: Run, options: tuple[str, ...], said: str) -> None:
    status, _, errors = run("a.mp3", *options)
    assert status == 2
    assert said in errors


def test_no_such_model(run: Run, recording: Path) -> None:
    with api(fake := speaking()) as url:
        status, out, errors = run(recording, "--model", "large-v7", "--url", url)
    assert (status, out) == (3, "")
    assert errors.startswith(f"error: {url}/v1 has no such model: ")
    assert fake.calls == []


@pytest.mark.parametrize("command", ["transcribe", "detect"])
@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("a?b", 3, "has no such model: "),
        ("a#b", 3, "has no such model: "),
        ("org/a%2fb c", 3, "has no such model: "),
        ("../x", 2, "'../x' is no name of a model"),
        ("a/./b", 2, "'a/./b' is no name of a model"),
        ("a\udcff", 2, "an option is no text in UTF-8"),
    ],
)
def test_names_of_models_of_any_kind(
    run: Run, recording: Path, command: str, name: str, status: int, said: str
) -> None:
    with api(fake := speaking()) as url:
        ended, out, errors = run(command, recording, "--model", name, "--url", url)
    assert (ended, out, fake.calls) == (status, "", [])
    assert said in errors


def test_a_busy_server_is_asked_again_when_it_says(run: Run, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.mp3" for number in range(5)]
    for path in paths:
        path.write_bytes(path.name.encode())
    with api(fake := speaking(busy=7)) as url:
        status, _, errors = run(*paths, "-j", "3", "--retries", "0", "--url", url)
    assert status == 0
    assert errors.startswith("5 done in ")
    assert sorted(audio for audio, _ in fake.calls) == sorted(path.name.encode() for path in paths)


def test_a_busy_server_is_given_up_after_the_timeout(run: Run, recording: Path) -> None:
    with api(speaking(busy=1_000)) as url:
        status, out, errors = run(recording, "--timeout", "1.5", "--url", url)
    assert (status, out) == (1, "")
    assert "There is no room at present." in errors
    assert "--timeout" in errors


VERBOSE = {
    "task": "transcribe",
    "language": "english",
    "duration": 3.7,
    "text": "The wind and the sun.",
    "segments": [
        {"start": 0.0, "end": 2.0, "text": " The\twind --> and"},
        {"start": 2.0, "end": 3723.5, "text": " the sun."},
        {"start": 3.6, "end": 3.7, "text": " "},
    ],
}


class Plain:
    """A server with OpenAI's endpoints alone, which fails its first `failures` requests."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.forms: list[dict[str, str]] = []

    def app(self) -> ASGIApp:
        """Its application."""
        return Starlette(
            routes=[
                Route("/v1/models/{name}", self._model),
                Route("/v1/audio/transcriptions", self._transcription, methods=["POST"]),
            ]
        )

    async def _model(self, request: Request) -> Response:
        return JSONResponse({"id": request.path_params["name"], "object": "model"})

    async def _transcription(self, request: Request) -> Response:
        async with request.form() as form:
            self.forms.append({key: str(value) for key, value in form.items() if key != "file"})
        if len(self.forms) <= self.failures:
            return JSONResponse({"error": {"message": "It broke."}}, 500)
        is_verbose = self.forms[-1]["response_format"] == "verbose_json"
        return JSONResponse(VERBOSE if is_verbose else {"text": VERBOSE["text"]})


def test_a_server_with_openais_api_alone(run: Run, recording: Path) -> None:
    with listening((server := Plain()).app()) as url:
        assert run(recording, "--url", url) == (0, "The wind and the sun.\n", "")
        assert run(recording, "-f", "all", "--url", url)[0] == 0
    assert [form["response_format"] for form in server.forms] == ["json", "verbose_json"]
    assert all("stream" not in form for form in server.forms)
    read = {each: recording.with_suffix(f".{each}").read_text("utf-8") for each in FORMATS}
    assert read == {
        "txt": "The\twind --> and\nthe sun.\n\n",
        "tsv": "start\tend\ttext\n0\t2000\tThe wind --> and\n2000\t3723500\tthe sun.\n"
        "3600\t3700\t\n",
        "srt": "1\n00:00:00,000 --> 00:00:02,000\nThe\twind -> and\n\n"
        "2\n00:00:02,000 --> 01:02:03,500\nthe sun.\n\n",
        "vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nThe\twind -> and\n\n"
        "00:00:02.000 --> 01:02:03.500\nthe sun.\n\n",
    }


FORMATS = ("txt", "tsv", "srt", "vtt")


def test_limits_of_lines_where_the_server_has_none(run: Run, recording: Path) -> None:
    with listening((server := Plain()).app()) as url:
        status, _, errors = run(recording, "-f", "srt", "--max_line_width", "40", "--url", url)
    assert status == 2
    assert "writes no subtitles, and so has no --max_line_width" in errors
    assert server.forms == []


@pytest.mark.parametrize(("retries", "status"), [("1", 1), ("2", 0)])
def test_what_fails_is_sent_again(run: Run, recording: Path, retries: str, status: int) -> None:
    with listening((server := Plain(failures=2)).app()) as url:
        ended, _, errors = run(recording, "--retries", retries, "--url", url)
    assert ended == status
    assert len(server.forms) == int(retries) + 1
    assert ("It broke." in errors) == bool(status)


class Breaking:
    """The API, whose streams are cut off after their first events `times` times."""

    def __init__(self, times: int) -> None:
        self._app, self._left = app_of(speaking()), times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer, or its beginning."""
        is_cut = scope["path"].endswith("transcriptions") and self._left > 0
        self._left -= is_cut

        async def cutting(message: Message) -> None:
            if not is_cut or message["type"] == "http.response.start":
                await send(message)
            elif message.get("body"):
                await send({**message, "body": b": nothing\n\n", "more_body": False})
                raise ConnectionError

        try:
            await self._app(scope, receive, cutting)
        except ConnectionError:
            return


@pytest.mark.parametrize(("times", "status"), [(1, 0), (3, 1)])
def test_a_stream_that_is_cut_off(run: Run, recording: Path, times: int, status: int) -> None:
    with listening(Breaking(times)) as url:
        ended, _, errors = run(recording, "--url", url)
    assert ended == status
    assert ("the server's stream ended before the transcript" in errors) == bool(status)


def test_status(run: Run) -> None:
    with api(speaking()) as url:
        status, out, errors = run("status", "--url", url)
    assert (status, errors) == (0, "")
    rows = dict(line.split(":", 1) for line in out.splitlines())
    assert rows["server"].strip() == f"{url}/v1"
    assert rows["version"].strip() == "1.2.3"
    assert "base" in rows["models"]
    assert rows["queue"].strip() == "0 running, 0 waiting, 0 seconds of audio in all"


def test_status_of_another_server(run: Run) -> None:
    async def models(_: Request) -> Response:
        return JSONResponse({"data": [{"id": "whisper-1"}]})

    with listening(Starlette(routes=[Route("/v1/models", models)])) as url:
        status, out, _ = run("status", "--url", url)
    assert status == 0
    assert "another server than whisper-bento" in out
    assert "whisper-1" in out


def test_detect(run: Run, recording: Path) -> None:
    missing = recording.with_name("no.mp3")
    with api(speaking()) as url:
        status, out, errors = run("detect", recording, missing, "--url", url)
        lines = run("detect", recording, "--json-lines", "--url", url)[1]
    assert (status, out) == (1, f"en\tenglish\t0.75\t{recording}\n")
    assert errors == f"error: {missing}: No such file or directory\n"
    assert '"code": "en", "language": "english", "probability": 0.75' in lines


def test_port_is_taken_by_something_else(run: Run, recording: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        thread = threading.Thread(target=_hang_up, args=[other], daemon=True)
        thread.start()
        status, _, errors = run(recording, "--url", f"http://127.0.0.1:{other.getsockname()[1]}")
        thread.join(SECONDS)
    assert status == 3
    assert "no answer from" in errors


def _hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.close()
