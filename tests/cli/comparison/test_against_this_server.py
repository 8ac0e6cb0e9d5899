"""`whisper-bento compare` with this server on both sides: one that asks for a key."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import httpx

from cli.comparison.calls import CALLS
from tests.cli.conftest import KEY
from tests.server import PROJECT, Server

CLIP = PROJECT / "tests" / "speech" / "clips" / "jfk.flac"


def compare(server: Server, against: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "compare", str(CLIP), "--json"]
    return subprocess.run(
        [*command, "--here", server.url, "--against", f"{server.url}{against}"],
        cwd=PROJECT,
        env={**os.environ, "WHISPER_HERE_KEY": KEY, "WHISPER_AGAINST_KEY": key},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def found(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (call["call"], each["kind"], each["where"])
        for call in document["calls"]
        for each in call["differences"]
    ]


def test_a_server_does_not_differ_from_itself(server: Server) -> None:
    done = compare(server, "")

    assert (done.returncode, found(json.loads(done.stdout))) == (0, []), done.stderr
    told = json.loads(done.stdout)
    # An English checkpoint translates nothing, on either side.
    statuses = {call["call"]: call["status"]["here"] for call in told["calls"]}
    assert [*statuses] == [call.name for call in CALLS]
    assert {name for name, status in statuses.items() if status == 200} == {
        *("json", "text", "srt", "vtt", "verbose_json", "words", "stream", "model")
    }


def test_groqs_answers_have_one_member_more(server: Server) -> None:
    done = compare(server, "/openai/v1")

    assert done.returncode == 1, done.stderr
    names = ("json", "verbose_json", "words")
    assert found(json.loads(done.stdout)) == [(name, "missing", "x_groq") for name in names]


def test_azures_deployments_answer_the_same(server: Server) -> None:
    done = compare(server, "/openai/deployments/whisper-1?api-version=2024-06-01")

    assert (done.returncode, found(json.loads(done.stdout))) == (0, []), done.stderr


def test_a_wrong_key_is_one_line(server: Server) -> None:
    done = compare(server, "", key="a-key-of-another-server")

    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: {server.url}/v1 does not take this key: 401 ")
    assert "a-key-of-another-server" not in done.stderr + done.stdout


def test_a_page_of_the_server_is_not_its_api(server: Server) -> None:
    done = compare(server, "/docs")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: {server.url}/docs ")


def test_every_address_of_the_page_transcribes(server: Server) -> None:
    """What docs/migrate.md tells programs to be given is an address that answers them."""
    page = (PROJECT / "docs" / "migrate.md").read_text(encoding="utf-8")
    addresses = {each.rstrip("/") for each in re.findall(r"http://127\.0\.0\.1:8000[\w/.-]*", page)}
    assert len(addresses) >= 6
    refused: list[str] = []
    for address in sorted(addresses):
        url = address.replace("http://127.0.0.1:8000", server.url)
        is_whole = url.endswith(("/transcriptions", "/asr", "/inference"))
        field = "audio_file" if url.endswith("/asr") else "file"
        answer = httpx.post(
            url if is_whole else f"{url}/audio/transcriptions",
            data={"model": "whisper-1"},
            files={field: CLIP.read_bytes()},
            headers={"authorization": f"Bearer {KEY}"},
            timeout=120,
        )
        if answer.status_code != 200 or "country" not in answer.text:
            refused.append(address)
    assert refused == []
