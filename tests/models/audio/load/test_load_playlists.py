"""Playlists and scripts that name other files or addresses open none of them."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from models.audio.load.load_audio import load
from models.errors import AudioError
from tests.models.audio.load.test_load_audio import encode


class Secrets(http.server.ThreadingHTTPServer):
    """Serves a segment to whoever asks, and keeps what was asked for."""

    def __init__(self, segment: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.segment = segment
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/secret.ts"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Secrets

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.send_header("Content-Length", str(len(self.server.segment)))
        self.end_headers()
        self.wfile.write(self.server.segment)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    segment = encode("mpegts", "aac", 16_000)
    (tmp_path / "secret.ts").write_bytes(segment)
    monkeypatch.chdir(tmp_path)
    server = Secrets(segment)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def hls(target: str) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", target, "#EXT-X-ENDLIST", ""]
    return "\n".join(lines).encode()


def concat(target: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{target}'\n".encode()


def seconds_by_plain_pyav(source: Path | io.BytesIO) -> float:
    """What PyAV reads through the playlist when nothing forbids it."""
    options = {"protocol_whitelist": "file,http,tcp"}
    with av.open(source, "r", container_options=options) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def test_playlists_do_work_where_nothing_forbids_them(secrets: Secrets, tmp_path: Path) -> None:
    playlist = tmp_path / "list.m3u8"
    playlist.write_bytes(hls("secret.ts"))
    assert seconds_by_plain_pyav(playlist) > 1.9
    playlist.write_bytes(hls(secrets.url))
    assert seconds_by_plain_pyav(playlist) > 1.9
    assert secrets.asked
    assert seconds_by_plain_pyav(io.BytesIO(concat("secret.ts"))) > 1.9


@pytest.mark.parametrize("script", [hls, concat])
@pytest.mark.parametrize("target", ["secret.ts", "file:{path}", "{url}"])
@pytest.mark.parametrize("name", ["list.m3u8", "list.mp3", None])
def test_load_playlist_opens_nothing_else(
    secrets: Secrets,
    tmp_path: Path,
    script: Callable[[str], bytes],
    target: str,
    name: str | None,
) -> None:
    data = script(target.format(path=tmp_path / "secret.ts", url=secrets.url))
    source: Path | io.BytesIO = io.BytesIO(data)
    if name:
        source = tmp_path / name
        source.write_bytes(data)
    with pytest.raises(AudioError, match="supported format"):
        load(source)
    assert secrets.asked == []
