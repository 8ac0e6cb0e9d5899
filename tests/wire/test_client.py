"""The command-line client, asking for real recordings."""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import pytest
from whisper.utils import WriteTSV, WriteTXT

from tests.client.serving import ran
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


@promises("Clients", "it detects, translates, and says what the server is", "extension")
def test_other_commands(server: Server) -> None:
    assert ran("detect", jfk().path, "--url", server.url)[1].startswith("en\tenglish\t")
    assert ran("translate", jfk().path, "--url", server.url)[0] == 0
    assert "base, tiny.en" in ran("status", "--url", server.url)[1]
