"""The archive of what is finished."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from client.files.archive import Archive, digest_of


def test_lines_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    archive = Archive(path)
    assert not path.exists()
    archive.add("a" * 64, "two\nlines ü.mp3")
    archive.add("b" * 64, "b.mp3")
    assert archive.has("a" * 64)
    assert len(path.read_bytes().splitlines()) == 2
    again = Archive(path)
    assert again.has("a" * 64)
    assert again.has("b" * 64)
    assert not again.has("c" * 64)


def test_what_others_have_written_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(b"\n  \n\xff\n" + b"d" * 64 + b"  d.mp3\n")
    assert Archive(path).has("d" * 64)


def test_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (path := tmp_path / "a.mp3").write_bytes(b"sound" * 1000)
    assert asyncio.run(digest_of(path)) == hashlib.sha256(b"sound" * 1000).hexdigest()
