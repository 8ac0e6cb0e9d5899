"""Downloads, resumable and checked against a SHA-256; the files of openai-whisper's table."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
from tqdm import tqdm

from models.checkpoints.durable_files import (
    full_disk_explained,
    megabytes,
    require_space,
    sha256_of,
)
from models.checkpoints.sources.source import Notify
from models.errors import ChecksumError, DownloadError

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 30.0
_ATTEMPTS = 5


@dataclass(frozen=True)
class RemoteFile:
    """A file on a web server, and the SHA-256 it must have."""

    url: str
    sha256: str

    @property
    def host(self) -> str:
        """The server's name."""
        return httpx.URL(self.url).host


def official_file(name: str) -> RemoteFile:
    """The `.pt` of an official checkpoint; its URL carries its SHA-256 (`whisper._MODELS`)."""
    import whisper

    url: str = whisper._MODELS[name]  # noqa: SLF001
    return RemoteFile(url, url.split("/")[-2])


def download(
    file: RemoteFile, directory: Path, timeout: float, notify: Notify, pause: float = 1.0
) -> Path:
    """Bring the file into `directory`, going on where an earlier try broke off.

    The proxy variables (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) are respected. `timeout` is in
    seconds for the whole download, `pause` those before the second try. Two processes must not
    download one file at once.

    Raises:
        DownloadError: unreachable, broken off for good, or out of time; what came is kept.
        ChecksumError: what came is not what the table says; it is removed.
        CheckpointError: the disk is full.
    """
    deadline = time.monotonic() + timeout
    target = directory / f"{file.sha256}{Path(file.url).suffix}"
    part = directory / f"{file.sha256}.part"
    if not target.exists():
        with full_disk_explained(directory):
            _complete(_Transfer(file, part, deadline, notify, pause))
            part.rename(target)
    if sha256_of(target) != file.sha256:
        target.unlink()
        raise ChecksumError(f"{file.url} is not what its SHA-256 says; the download was removed")
    return target


@dataclass(frozen=True)
class _Transfer:
    file: RemoteFile
    part: Path
    deadline: float
    notify: Notify
    pause: float

    @property
    def received(self) -> int:
        """Bytes that are on the disk."""
        return self.part.stat().st_size


def _complete(transfer: _Transfer) -> None:
    with _client(transfer.file) as client, transfer.part.open("ab") as out:
        try:
            _try_repeatedly(client, transfer, out)
        finally:
            out.flush()
            if not transfer.received:
                transfer.part.unlink()


def _try_repeatedly(client: httpx.Client, transfer: _Transfer, out: IO[bytes]) -> None:
    file = transfer.file
    for attempt in range(_ATTEMPTS):
        if attempt:
            transfer.notify("the transfer broke off; going on where it stopped")
            time.sleep(transfer.pause * 2 ** (attempt - 1))
        try:
            return _receive(client, transfer, out)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise DownloadError(_unreachable(file, error)) from error
        except httpx.RequestError:
            out.flush()
    raise DownloadError(
        f"the download from {file.host} broke off {_ATTEMPTS} times; "
        f"{megabytes(transfer.received)} are kept, the next import goes on from there"
    )


def _client(file: RemoteFile) -> httpx.Client:
    limits = httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS)
    try:
        return httpx.Client(timeout=limits, follow_redirects=True, trust_env=True)
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        raise DownloadError(_unreachable(file, error)) from error


def _unreachable(file: RemoteFile, error: Exception) -> str:
    return f"{file.host} could not be reached ({str(error) or type(error).__name__})"


def _receive(client: httpx.Client, transfer: _Transfer, out: IO[bytes]) -> None:
    start = transfer.received
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with client.stream("GET", transfer.file.url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to send: the checksum tells whether what we have is right
        if response.status_code == httpx.codes.OK:
            start = 0
            out.truncate(0)
        elif not _continues(response, start):
            raise DownloadError(f"{transfer.file.host} answered {response.status_code}")
        _append(response, transfer, out, start)


def _continues(response: httpx.Response, start: int) -> bool:
    expected = f"bytes {start}-"
    return response.status_code == httpx.codes.PARTIAL_CONTENT and response.headers.get(
        "Content-Range", ""
    ).startswith(expected)


def _append(response: httpx.Response, transfer: _Transfer, out: IO[bytes], start: int) -> None:
    rest = response.headers.get("Content-Length", "")
    total = start + int(rest) if rest.isdecimal() else None
    if total is not None:
        require_space(transfer.part.parent, total - start)
    shown = sys.stderr.isatty()
    if not shown:
        size = "size unknown" if total is None else megabytes(total)
        resumed = f", {megabytes(start)} already here" if start else ""
        transfer.notify(f"downloading {transfer.file.url} ({size}{resumed})")
    with tqdm(total=total, initial=start, unit="B", unit_scale=True, disable=not shown) as bar:
        # as they come: a block size of our own would lose what it has not filled yet
        for block in response.iter_raw():
            if time.monotonic() > transfer.deadline:
                out.flush()
                raise DownloadError(
                    f"the time limit is over; {megabytes(transfer.received)} are kept, "
                    "the next import goes on from there"
                )
            out.write(block)
            bar.update(len(block))
