"""Tests of models/checkpoints/sources/official.py against a server on this machine."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.checkpoints.catalogue import CHECKPOINTS
from models.checkpoints.sources.official import RemoteFile, download, official_file
from models.errors import ChecksumError, DownloadError

_CONTENT = os.urandom(3_000_000)
_SHA256 = hashlib.sha256(_CONTENT).hexdigest()


@dataclass
class _Server:
    """Serves `_CONTENT` with ranges; each reply breaks off after `breaks.pop(0)` bytes."""

    breaks: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    status: int | None = None
    ignores_ranges: bool = False
    port: int = 0

    def file(self, sha256: str = _SHA256) -> RemoteFile:
        return RemoteFile(f"http://127.0.0.1:{self.port}/tiny.pt", sha256)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = _Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if state.ignores_ranges:
                start, wanted = 0, None
            if state.status is not None or start >= len(_CONTENT):
                self.send_response(state.status or 416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(_CONTENT) - start))
            if wanted:
                last = len(_CONTENT) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(_CONTENT)}")
            self.end_headers()
            size = state.breaks.pop(0) if state.breaks else len(_CONTENT)
            self.wfile.write(_CONTENT[start : start + size])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the test's output clean."""

    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = http_server.server_address[1]
    thread = threading.Thread(target=http_server.serve_forever)
    thread.start()
    yield state
    http_server.shutdown()
    thread.join()
    http_server.server_close()


def _ignore(text: str) -> None:
    assert text


def test_download_brings_the_file(server: _Server, tmp_path: Path) -> None:
    path = download(server.file(), tmp_path, 60, _ignore)
    assert path.read_bytes() == _CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_download_goes_on_where_the_server_broke_off(server: _Server, tmp_path: Path) -> None:
    server.breaks = [1_000_000, 500_000]
    told: list[str] = []
    assert download(server.file(), tmp_path, 60, told.append, pause=0.0).read_bytes() == _CONTENT
    assert server.ranges == [None, "bytes=1000000-", "bytes=1500000-"]
    assert sum("broke off" in line for line in told) == 2


def test_download_goes_on_with_what_an_earlier_process_left(
    server: _Server, tmp_path: Path
) -> None:
    (tmp_path / f"{_SHA256}.part").write_bytes(_CONTENT[:2_000_000])
    assert download(server.file(), tmp_path, 60, _ignore).read_bytes() == _CONTENT
    assert server.ranges == ["bytes=2000000-"]


def test_download_takes_a_part_that_is_already_whole(server: _Server, tmp_path: Path) -> None:
    (tmp_path / f"{_SHA256}.part").write_bytes(_CONTENT)
    assert download(server.file(), tmp_path, 60, _ignore).read_bytes() == _CONTENT


def test_download_begins_again_where_ranges_are_ignored(server: _Server, tmp_path: Path) -> None:
    server.ignores_ranges = True
    (tmp_path / f"{_SHA256}.part").write_bytes(b"x" * 1000)
    assert download(server.file(), tmp_path, 60, _ignore).read_bytes() == _CONTENT


def test_download_refuses_another_content(server: _Server, tmp_path: Path) -> None:
    with pytest.raises(ChecksumError, match=r"tiny\.pt is not what its SHA-256 says"):
        download(server.file("0" * 64), tmp_path, 60, _ignore)
    assert not list(tmp_path.iterdir())


def test_download_keeps_its_part_when_it_breaks_off_for_good(
    server: _Server, tmp_path: Path
) -> None:
    server.breaks = [1000] * 5
    with pytest.raises(DownloadError, match="broke off 5 times"):
        download(server.file(), tmp_path, 60, _ignore, pause=0.0)
    assert (tmp_path / f"{_SHA256}.part").read_bytes() == _CONTENT[:5000]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_download_names_the_status(server: _Server, tmp_path: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=rf"127\.0\.0\.1 answered {status}"):
        download(server.file(), tmp_path, 60, _ignore)
    assert not list(tmp_path.iterdir())


def test_download_stops_at_the_time_limit(server: _Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="time limit is over"):
        download(server.file(), tmp_path, 0, _ignore)


def test_download_from_a_closed_port_is_unreachable(tmp_path: Path) -> None:
    file = RemoteFile("http://127.0.0.1:9/tiny.pt", _SHA256)
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 could not be reached"):
        download(file, tmp_path, 60, _ignore)
    assert not list(tmp_path.iterdir())


def test_download_respects_the_proxy_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    file = RemoteFile("http://whisper.invalid/tiny.pt", _SHA256)
    with pytest.raises(DownloadError, match="Connection refused"):
        download(file, tmp_path, 60, _ignore)


def test_download_names_a_malformed_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "gopher://127.0.0.1")
    file = RemoteFile("http://whisper.invalid/tiny.pt", _SHA256)
    with pytest.raises(DownloadError, match=r"could not be reached .*proxy"):
        download(file, tmp_path, 60, _ignore)


def test_official_file_knows_every_checkpoint() -> None:
    for checkpoint in CHECKPOINTS:
        file = official_file(checkpoint.name)
        assert file.url.endswith(f"/{checkpoint.name}.pt")
        assert len(bytes.fromhex(file.sha256)) == 32
