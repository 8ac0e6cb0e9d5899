"""The command-line client, asking for real recordings."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from whisper.utils import WriteSRT, WriteTSV, WriteTXT

from models.text.edited_transcript import spelled_words
from models.text.transcript import Word
from tests.client.serving import environment, ran
from tests.server import Server
from tests.speech_clips import clips, jfk
from tests.wire.http import CLIP, SECONDS, post
from tests.wire.promises import promises

LONG = next(clip for clip in clips(language="en") if clip.is_long).path


@promises(
    "Clients", "`whisper-bento FILE`: the text of a recording to standard output", "extension"
)
def test_text_of_a_file(server: Server) -> None:
    status, out, errors = ran(jfk().path, "--url", server.url)

    assert (status, errors) == (0, "")
    assert out == post(server, [("response_format", "text")], file=jfk().path).text


@promises(
    "Clients",
    "its srt and vtt as the API's, txt and tsv as openai-whisper's, of one upload",
    "extension",
)
@pytest.mark.parametrize("path", [LONG, CLIP], ids=["long", "short"])
def test_files(server: Server, tmp_path: Path, path: Path) -> None:
    options = ("-f", "all", "-o", tmp_path, "--url", server.url)
    status, out, errors = ran(path, *options)

    assert (status, out) == (0, ""), errors
    for name in ("srt", "vtt"):
        told = post(server, [("response_format", name)], file=path).text
        assert (tmp_path / f"{path.stem}.{name}").read_text("utf-8") == told
    transcript = json.loads((tmp_path / f"{path.stem}.json").read_text("utf-8"))
    for name, writer in (("tsv", WriteTSV("")), ("txt", WriteTXT(""))):
        file = io.StringIO()
        writer.write_result(transcript, file)
        assert (tmp_path / f"{path.stem}.{name}").read_text("utf-8") == file.getvalue()


@promises(
    "Clients", "its srt and vtt with limits of lines: those of `/v1/audio/subtitles`", "extension"
)
@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_limits(server: Server, tmp_path: Path, name: str) -> None:
    options = ("-f", name, "-f", "json", "--max_line_width", "42", "-o", tmp_path)
    status, out, errors = ran(LONG, *options, "--url", server.url)

    assert (status, out) == (0, ""), errors
    transcript = json.loads((tmp_path / f"{LONG.stem}.json").read_text("utf-8"))
    asked = {"transcript": transcript, "response_format": name, "max_line_width": 42}
    told = httpx.post(f"{server.url}/v1/audio/subtitles", json=asked, timeout=SECONDS).text
    assert (tmp_path / f"{LONG.stem}.{name}").read_text("utf-8") == told


@promises(
    "Clients",
    "`--highlight_words True`: as openai-whisper's writer, of the same words",
    "extension",
)
def test_highlighted_words(server: Server, tmp_path: Path) -> None:
    options = ("-f", "srt", "-f", "json", "--highlight_words", "True", "-o", tmp_path)
    status, out, errors = ran(jfk().path, *options, "--url", server.url)

    assert (status, out) == (0, ""), errors
    told = json.loads((tmp_path / "jfk.json").read_text("utf-8"))
    segments, words = told["segments"], told["words"]
    # Its writer wants each segment's words, with their spaces and punctuation.
    spelled = spelled_words(
        segments[0]["text"],
        [Word(each["word"], each["start"], each["end"], 1.0) for each in words],
    )
    assert (len(segments), len(spelled)) == (1, len(words))
    segments[0]["words"] = [
        {"word": each.text, "start": each.start, "end": each.end} for each in spelled
    ]
    WriteSRT("").write_result(told, file := io.StringIO(), {}, highlight_words=True)
    assert (tmp_path / "jfk.srt").read_text("utf-8") == file.getvalue()


@promises("Clients", "`--background`, and `jobs wait ID`: the same files, later", "extension")
def test_background(server: Server, tmp_path: Path) -> None:
    status, out, errors = ran(jfk().path, "--background", "--url", server.url)
    assert (status, errors) == (0, "")

    waited = ("jobs", "wait", out.strip(), "-f", "srt", "-o", tmp_path, "--url", server.url)
    assert ran(*waited)[:2] == (0, "")
    told = post(server, [("response_format", "srt")], file=jfk().path).text
    assert (tmp_path / "jfk.srt").read_text("utf-8") == told


@promises(
    "Clients",
    "`/client.py`: this client in one file, with inline script metadata (PEP 723)",
    "extension",
)
def test_client_of_the_server(server: Server, tmp_path: Path) -> None:
    (file := tmp_path / "client.py").write_bytes(
        httpx.get(f"{server.url}/client.py", timeout=SECONDS).content
    )
    kept = {name: each for name, each in environment().items() if name != "PYTHONPATH"}
    told = subprocess.run(
        [sys.executable, "-I", file, jfk().path], cwd=tmp_path, env=kept, capture_output=True
    )

    text = post(server, [("response_format", "text")], file=jfk().path).text
    assert (told.returncode, told.stdout.decode()) == (0, text)


@promises("Clients", "it detects, translates, and says what the server is", "extension")
def test_other_commands(server: Server) -> None:
    assert ran("detect", jfk().path, "--url", server.url)[1].startswith("en\tenglish\t")
    assert ran("translate", jfk().path, "--url", server.url)[0] == 0
    assert "base, tiny.en" in ran("status", "--url", server.url)[1]
