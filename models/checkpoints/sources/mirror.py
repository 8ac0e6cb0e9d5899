"""A site's own mirror of checkpoints: a web server or a directory, with checksums beside them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from models.checkpoints.durable_files import sha256_of
from models.checkpoints.sources.official import RemoteFile, download
from models.checkpoints.sources.source import Notify
from models.errors import ChecksumError, DownloadError

CHECKSUMS = "SHA256SUMS"
# In this order: archives that `export` wrote, openai-whisper's own files.
_SUFFIXES = (".safetensors", ".pt")
# As `sha256sum` writes it.
_LINE = re.compile(r"^([0-9a-f]{64}) [ *](\S+)$", re.MULTILINE)
_TIMEOUT_SECONDS = 30.0


def find_in_mirror(mirror: str, name: str) -> RemoteFile | None:
    """The file of a checkpoint, `NAME.safetensors` or `NAME.pt`, if `SHA256SUMS` lists one.

    `mirror` is an http or https URL, or the path of a directory.

    Raises:
        DownloadError: the list cannot be read.
    """
    base = mirror.rstrip("/")
    listed = {file: sha256 for sha256, file in _LINE.findall(_read(f"{base}/{CHECKSUMS}"))}
    for file in (f"{name}{suffix}" for suffix in _SUFFIXES):
        if file in listed:
            return RemoteFile(f"{base}/{file}", listed[file])
    return None


def fetch_from_mirror(file: RemoteFile, directory: Path, timeout: float, notify: Notify) -> Path:
    """A file of the mirror, checked: brought into `directory`, or where it is if that is a disk.

    Raises:
        DownloadError: unreachable, broken off for good, or out of time; what came is kept.
        ChecksumError: it is not what `SHA256SUMS` says; nothing of it is kept.
    """
    if is_remote(file.url):
        return download(file, directory, timeout, notify)
    path = Path(file.url)
    if not path.is_file():
        raise DownloadError(f"the mirror lists {path}, which is not there")
    if sha256_of(path) != file.sha256:
        raise ChecksumError(f"{path} is not what its SHA-256 in {CHECKSUMS} says")
    return path


def is_remote(place: str) -> bool:
    """True of a URL, false of a path."""
    return place.startswith(("http://", "https://"))


def _read(place: str) -> str:
    try:
        if not is_remote(place):
            return Path(place).read_text(encoding="utf-8")
        answer = httpx.get(place, timeout=_TIMEOUT_SECONDS, follow_redirects=True)
        return answer.raise_for_status().text
    except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DownloadError(f"the mirror's {place} cannot be read: {reason}") from error
