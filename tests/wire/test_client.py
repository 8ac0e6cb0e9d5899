"""The command-line client, asking for real recordings."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from whisper.utils import WriteTSV, WriteTXT

from tests.client.serving import ran
from tests.server import Server
from tests.speech_clips import clips, jfk
from tests.wire.http import post
from tests.wire.promises import promises

LONG = next(clip for clip in clips(language="en") if clip.is_long)


@promises(
    "Clients", "`whisper-bento FILE`: the text of a recording to standard output", "extension"
)
def test_text_of_a_file(server: Server) -> None:
    status, out, errors = ran(jfk().path, "--url", server.url)

    assert (status, errors) == (0, "")
    assert out == post(server, [("response_format", "text")], file=jfk().path).text


@promises(
    "Clients",
    "its srt, vtt, txt and tsv: the API's and openai-whisper's, of one upload",
    "extension",
)
@pytest.mark.parametrize("limits", [(), ("--max_line_width", "42")], ids=["plain", "limits"])
def test_files(server: Server, tmp_path: Path, limits: tuple[str, ...]) -> None:
    options = ("-f", "all", "-o", str(tmp_path), "--url", server.url, *limits)
    status, out, errors = ran(LONG.path, *options)

    assert (status, out) == (0, ""), errors
    for name in ("srt", "vtt"):
        fields = [("response_format", name), *([("max_line_width", "42")] if limits else [])]
        told = post(server, fields, file=LONG.path).text
        assert (tmp_path / f"{LONG.path.stem}.{name}").read_text("utf-8") == told
    transcript = json.loads((tmp_path / f"{LONG.path.stem}.json").read_text("utf-8"))
    for name, writer in (("tsv", WriteTSV("")), ("txt", WriteTXT(""))):
        file = io.StringIO()
        writer.write_result(transcript, file)
        assert (tmp_path / f"{LONG.path.stem}.{name}").read_text("utf-8") == file.getvalue()


@promises("Clients", "it detects, translates, and says what the server is", "extension")
def test_other_commands(server: Server) -> None:
    assert ran("detect", jfk().path, "--url", server.url)[1].startswith("en\tenglish\t")
    assert ran("translate", jfk().path, "--url", server.url)[0] == 0
    assert "base, tiny.en" in ran("status", "--url", server.url)[1]
