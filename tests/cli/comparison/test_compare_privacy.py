"""Privacy of `whisper-bento compare`: keys go to their own server, and nothing to any other."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from cli.comparison.calls import CALLS
from tests.cli.comparison.comparing import compared
from tests.cli.comparison.scripted import (
    TEXT,
    Scripted,
    ScriptedServer,
    answers,
)
from tests.server import PROJECT, free_port, listening

KEY = "a-key-that-nobody-is-to-see"


def test_keys_go_to_their_servers_and_the_name_of_the_file_to_none(
    stack: ExitStack, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = ScriptedServer(answers()), ScriptedServer(answers())
    here, against = (stack.enter_context(listening(app)) for app in (ours, theirs))
    environ = {
        "WHISPER_HERE_KEY": "key-of-here",
        "WHISPER_AGAINST_KEY": f" {KEY}\n",
        "OPENAI_API_KEY": "key-of-openai",
    }
    command = ("--here", here, "--against", against, "--language", "en", "--model", "gpt-x")

    assert compared(capsys, recording, *command, "--here-model", "base", environ=environ)[0] == 0
    assert {seen.headers["authorization"] for seen in ours.seen} == {"Bearer key-of-here"}
    assert {seen.headers["authorization"] for seen in theirs.seen} == {f"Bearer {KEY}"}
    assert {seen.file_name for seen in theirs.seen} == {"recording.flac", "recording.wav", ""}
    assert [dict(app.seen[0].form)["model"] for app in (ours, theirs)] == ["base", "gpt-x"]
    assert dict(theirs.seen[0].form)["language"] == "en"
    assert theirs.seen[0].file == recording.read_bytes()


def test_the_key_of_openai_is_for_openai_alone(
    stack: ExitStack, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = ScriptedServer(answers())
    other = stack.enter_context(listening(app))
    environ = {"OPENAI_API_KEY": "key-of-openai"}

    compared(capsys, recording, "--here", other, "--against", other, environ=environ)
    assert not any("authorization" in seen.headers for seen in app.seen)


def test_azures_addresses_have_their_own_header_and_keep_their_query(
    faultless: str, stack: ExitStack, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = ScriptedServer(answers())
    azure = f"{stack.enter_context(listening(app))}/openai/deployments/w?api-version=2024-06-01"

    status, document = compared(
        capsys, recording, "--here", faultless, "--against", azure, "--key", KEY
    )

    assert status == 0
    calls = [call["call"] for call in document["calls"]]
    assert not {"model", "unknown-model"} & {*calls}
    assert len(calls) == len(CALLS) - 2
    assert app.seen[0].headers["api-key"] == KEY
    assert "authorization" not in app.seen[0].headers
    path = "/openai/deployments/w/audio/transcriptions?api-version=2024-06-01"
    assert app.seen[0].url.endswith(path)


def test_a_terminal_without_unicode_is_told_in_escapes(
    stack: ExitStack, faultless: str, recording: Path
) -> None:
    script = {**answers(), "text": Scripted("Größe, 你好\n", TEXT)}
    other = stack.enter_context(listening(ScriptedServer(script)))
    command = [sys.executable, "-m", "cli", "compare", str(recording), "--only", "text"]
    told = subprocess.run(
        [*command, "--here", other, "--against", faultless],
        cwd=PROJECT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert told.returncode == 1, told.stderr
    assert rb'text: here "Gr\xf6\xdfe, \u4f60 \u597d"' in told.stdout


def test_nothing_goes_anywhere_else_and_nothing_heavy_is_loaded(
    stack: ExitStack, recording: Path
) -> None:
    """In a process that notes every connection, with proxies and tracing in its environment."""
    here, against = (stack.enter_context(listening(ScriptedServer(answers()))) for _ in range(2))
    code = (
        "import sys\n"
        "seen = set()\n"
        "def note(event, arguments):\n"
        "    if event == 'socket.connect': seen.add(arguments[1][1])\n"
        "    if event == 'subprocess.Popen': seen.add('a process')\n"
        "sys.addaudithook(note)\n"
        "from cli.__main__ import main\n"
        "status = main(sys.argv[1:])\n"
        "heavy = {'torch', 'numpy', 'bentoml', 'whisper', 'fastapi', 'pydantic', 'av'}\n"
        "print(status, sorted(seen), sorted(heavy & {*sys.modules}), file=sys.stderr)\n"
    )
    proxy = f"http://127.0.0.1:{free_port()}"
    told = subprocess.run(
        [
            *(sys.executable, "-c", code, "compare", str(recording)),
            *("--here", here, "--against", against),
        ],
        cwd=PROJECT,
        env={**os.environ, "HTTP_PROXY": proxy, "http_proxy": proxy, "ALL_PROXY": proxy},
        capture_output=True,
        text=True,
        check=True,
    )
    ports = sorted(int(url.rpartition(":")[2]) for url in (here, against))
    assert told.stderr.splitlines()[-1] == f"0 {ports} []"
