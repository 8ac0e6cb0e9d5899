"""Tests of mirror.py: a directory, and the same on a web server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.mirror import fetch_from_mirror, find_in_mirror
from models.checkpoints.sources.official import RemoteFile
from models.errors import ChecksumError, DownloadError

CONTENT = b"weights" * 100_000


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the test's output clean."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A mirror of three files, one of them older and of the same model."""
    path = tmp_path / "mirror"
    path.mkdir()
    for name in ("base.safetensors", "base.pt", "tiny.en.pt"):
        (path / name).write_bytes(CONTENT + name.encode())
    lines = [f"{sha256_of(file)}  {file.name}\n" for file in sorted(path.iterdir())]
    (path / "SHA256SUMS").write_text("".join(lines))
    return path


@pytest.fixture
def url(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    handler = partial(_Handler, directory=str(directory))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["directory", "url", "url with slash"])
def mirror(request: pytest.FixtureRequest, directory: Path, url: str) -> str:
    kinds = {"directory": str(directory), "url": url, "url with slash": f"{url}/"}
    return kinds[request.param]


def found(mirror: str, name: str) -> RemoteFile:
    file = find_in_mirror(mirror, name)
    assert file is not None
    return file


def fetch(file: RemoteFile, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    told: list[str] = []
    return fetch_from_mirror(file, folder, 60, told.append)


@pytest.mark.parametrize(
    ("name", "file"), [("base", "base.safetensors"), ("tiny.en", "tiny.en.pt")]
)
def test_mirror_has_archives_and_openais_files(
    mirror: str, tmp_path: Path, name: str, file: str
) -> None:
    path = fetch(found(mirror, name), tmp_path / "downloads")
    assert path.read_bytes() == CONTENT + file.encode()
    assert path.suffix == Path(file).suffix


def test_mirror_without_the_model(mirror: str) -> None:
    assert find_in_mirror(mirror, "tiny") is None
    assert find_in_mirror(mirror, "SHA256SUMS") is None


def test_another_content_is_refused_and_not_kept(
    mirror: str, directory: Path, tmp_path: Path
) -> None:
    (directory / "base.safetensors").write_bytes(CONTENT)
    with pytest.raises(ChecksumError, match=r"base\.safetensors is not what its SHA-256"):
        fetch(found(mirror, "base"), tmp_path / "downloads")
    assert list((tmp_path / "downloads").iterdir()) == []


def test_listed_file_that_is_not_there(mirror: str, directory: Path, tmp_path: Path) -> None:
    (directory / "base.safetensors").unlink()
    with pytest.raises(DownloadError, match=r"which is not there|127\.0\.0\.1 answered 404"):
        fetch(found(mirror, "base"), tmp_path / "downloads")


def test_mirror_without_its_list_is_one_line(mirror: str, directory: Path) -> None:
    (directory / "SHA256SUMS").unlink()
    with pytest.raises(
        DownloadError, match=r"SHA256SUMS cannot be read: .*(404|No such file)"
    ) as e:
        find_in_mirror(mirror, "base")
    assert "\n" not in e.value.message


def test_mirror_that_cannot_be_reached_is_one_line() -> None:
    with pytest.raises(DownloadError, match=r"SHA256SUMS cannot be read: .*refused"):
        find_in_mirror("http://127.0.0.1:9", "base")
