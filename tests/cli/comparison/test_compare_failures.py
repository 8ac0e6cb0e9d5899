"""Servers that cannot be compared, and arguments that say nothing: one line, and status 2."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from cli.compare import main
from tests.cli.comparison.comparing import compared, failure, found
from tests.cli.comparison.planted import PLANTED
from tests.cli.comparison.scripted import (
    JSON,
    SAID,
    TEXT,
    Scripted,
    ScriptedServer,
    answers,
    endless,
    error,
    value,
)
from tests.server import free_port, listening

KEY = "a-key-that-nobody-is-to-see"


def test_unreachable_server(
    faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"

    line = failure(capsys, recording, "--here", faultless, "--against", nobody)
    assert line == f"error: {nobody}/v1 cannot be reached: All connection attempts failed"


def test_host_without_an_address(
    faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = failure(capsys, recording, "--here", "http://no-host.invalid", "--against", faultless)
    assert line.startswith("error: http://no-host.invalid/v1 cannot be reached: ")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            value(error(401, "invalid_api_key", "key"), 401),
            "does not take this key: 401 This is wrong: 401",
        ),
        (
            value({"error": {"message": f"Incorrect API key: {KEY}"}}, 403),
            "does not take this key: 403 Incorrect API key: ***",
        ),
        (
            Scripted("<!doctype html><p>Welcome", "text/html"),
            "answers with a web page (200): is this the base URL of an API?",
        ),
        (
            Scripted("<html>Not here</html>", "text/html; charset=utf-8", 404),
            "answers with a web page (404): is this the base URL of an API?",
        ),
        (
            value({"detail": "Not Found"}, 404),
            "does not transcribe this recording: 404 Not Found",
        ),
        (
            Scripted("out of\x1b[31m memory\n", TEXT, 500),
            "does not transcribe this recording: 500 out of?[31m memory",
        ),
        (value({"result": SAID}), "answers with something else than a transcription (200)"),
        (Scripted("", JSON), "answers with something else than a transcription (200)"),
        (
            Scripted("", TEXT, 307, {"location": "http://127.0.0.1:9/"}),
            "leads elsewhere (307): give the address that it means",
        ),
        (value({"error": "later"}, 503), "is busy: 503 later"),
    ],
    ids=["401", "403", "html", "html-404", "404", "500", "other", "empty", "redirect", "busy"],
)
def test_server_that_does_not_transcribe(
    stack: ExitStack,
    faultless: str,
    recording: Path,
    capsys: pytest.CaptureFixture[str],
    told: Scripted,
    said: str,
) -> None:
    app = ScriptedServer({**answers(), "json": told})
    other = stack.enter_context(listening(app))

    line = failure(capsys, recording, "--here", faultless, "--against", other, "--key", KEY)
    assert line == f"error: {other}/v1 {said}"
    assert [seen.call for seen in app.seen] == ["json"]


def test_server_that_asks_for_a_key(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = ScriptedServer({"json": value(error(401, "invalid_api_key", "key"), 401)})
    other = stack.enter_context(listening(app))

    line = failure(capsys, recording, "--here", faultless, "--against", other)
    assert line == f"error: {other}/v1 asks for a key: 401 This is wrong: 401"


@pytest.mark.parametrize("hangs_in", ["headers", "body"])
def test_server_that_hangs(
    stack: ExitStack,
    faultless: str,
    recording: Path,
    capsys: pytest.CaptureFixture[str],
    hangs_in: str,
) -> None:
    asleep = ScriptedServer(answers(), before=lambda: asyncio.sleep(30))
    app = asleep if hangs_in == "headers" else endless
    other = stack.enter_context(listening(app))

    line = failure(capsys, recording, "--here", faultless, "--against", other, "--timeout", "0.3")
    assert line == f"error: {other}/v1 has not answered json within 0.3 s (--timeout)"


def test_server_that_is_none_of_http(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
            connection.recv(1024)

    thread = threading.Thread(target=answer)
    thread.start()
    other = f"http://127.0.0.1:{listener.getsockname()[1]}"
    line = failure(capsys, recording, "--here", faultless, "--against", other)
    thread.join(20)
    assert line.startswith(f"error: {other}/v1 gave no answer to json: ")


def test_server_that_breaks_later_leaves_what_was_found(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = {**answers(), "json": PLANTED["json"], "srt": value({"error": "later"}, 429)}
    other = stack.enter_context(listening(ScriptedServer(script)))
    servers = ("--here", other, "--against", faultless)

    status, document = compared(capsys, recording, *servers)

    assert status == 2
    assert document["error"] == f"{other}/v1 is busy: 429 later"
    assert found(document) == [("json", "missing", "usage")]
    assert [call["call"] for call in document["calls"]] == ["json", "text"]


def test_busy_server_is_asked_again_when_it_says(
    stack: ExitStack, faultless: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    busy = Scripted('{"error": "later"}', status=429, headers={"retry-after": "0"})
    script = {**answers(), "text": busy}

    async def recover() -> None:
        if sum(seen.call == "text" for seen in app.seen) == 2:
            script["text"] = answers()["text"]

    app = ScriptedServer(script, before=recover)
    other = stack.enter_context(listening(app))

    assert (
        main([str(recording), "--here", faultless, "--against", other, "--only", "text"], {}) == 0
    )
    assert [seen.call for seen in app.seen] == ["json", "text", "text"]
    assert f"{other}/v1 is busy (429): text is sent again in 0 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against", "api.openai.com"], "--against: 'api.openai.com' is no URL: it begins"),
        (["--against", "ftp://x"], "--against: 'ftp://x' is no URL: it begins with http"),
        (["--against", "http://:80"], "--against: 'http://:80' is no URL"),
        (["--against", "http://[::1"], "--against: 'http://[::1' is no URL"),
        (["--against", "http://me:secret@x"], "--against: a URL with a name or password in it"),
        (["--against", "http://x", "--here", "x"], "--here: 'x' is no URL"),
        (["--against", "http://x", "--key", "tö\n"], "--key: the key has characters that no key"),
        (["--against", "http://x", "--here-key", "a b"], "--here-key: the key has characters"),
        (["--against", "http://x", "--only", "srt,xyz"], "--only: there is no call 'xyz'; there"),
    ],
)
def test_malformed_arguments_are_one_line(
    recording: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main([str(recording), *arguments], {}) == 2
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert (told.out, line.startswith(f"error: {said}")) == ("", True), line
    assert "secret" not in line
    assert "tö" not in line


@pytest.mark.parametrize("name", ["none.flac", "."])
def test_recording_that_is_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main([str(tmp_path / name), "--against", "http://x"], {}) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / name} is no file\n"
