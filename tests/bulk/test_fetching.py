"""Recordings elsewhere: by fsspec's file system in memory, within a budget of the disk."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulk.daemon_thread import in_daemon_thread
from bulk.downloads import Downloads
from bulk.errors import OutputError
from bulk.fetching import Budget, Fetcher
from bulk.listing import save_manifest, uris_below
from bulk.manifest import Manifest
from bulk.row import row_of
from client.backend.errors import UsageError
from tests.bulk.doubles import (
    FakeEngine,
    by_content,
    manifest_of,
    recordings,
    results,
    run_of,
    work_of,
)

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")


@pytest.fixture
def bucket() -> Iterator[str]:
    """A folder in the file system in memory, which the process has once."""
    storage = fsspec.filesystem("memory")
    yield "memory://bucket"
    storage.rm("/bucket", recursive=True)


def stored(url: str, content: bytes) -> str:
    with fsspec.open(url, "wb") as file:
        file.write(content)
    return url


def test_rows_elsewhere_are_downloaded_and_removed(tmp_path: Path, bucket: str) -> None:
    urls = [stored(f"{bucket}/a#{n}?.mp3", f"text {n}".encode()) for n in range(20)]
    manifest = manifest_of(tmp_path / "m.jsonl", [*urls, f"{bucket}/none.mp3"])
    (scratch := tmp_path / "scratch").mkdir()
    # Room for two at a time.
    work = work_of(manifest, tmp_path / "out", scratch=scratch, disk_bytes=16)
    run_of(work, FakeEngine(in_flight=8)).through()
    found = {each["uri"]: each for each in results(tmp_path / "out")}
    assert [found[url]["text"] for url in urls] == [f"text {n}" for n in range(20)]
    assert found[f"{bucket}/none.mp3"]["error"]["code"] == "not_found"
    assert list(scratch.iterdir()) == []


def test_a_downloaded_file_has_its_suffix(tmp_path: Path, bucket: str) -> None:
    async def suffix(url: str) -> str:
        with Fetcher(tmp_path, 100, Downloads(tmp_path, "all", tmp_path)) as fetcher:
            async with fetcher.file(row_of({"uri": url})) as path:
                return path.suffix

    assert asyncio.run(suffix(stored(f"{bucket}/a.MP3", b"a"))) == ".MP3"
    assert asyncio.run(suffix(stored(f"{bucket}/a.../x y", b"a"))) == ""


def test_a_protocol_that_is_none_is_one_failed_row(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["fine"])
    manifest = manifest_of(tmp_path / "m.jsonl", ["htps://x/y.wav", *paths])
    run_of(work_of(manifest, tmp_path / "out"), FakeEngine()).through()
    found = by_content(tmp_path / "out")
    assert found["y.wav"]["error"]["code"] == "not_found"
    assert "htps" in found["y.wav"]["error"]["message"]
    assert found["00000.wav"]["text"] == "fine"


def test_no_folder_for_downloads_ends_the_run_and_fails_no_row(tmp_path: Path, bucket: str) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", [stored(f"{bucket}/a.mp3", b"a")])
    work = work_of(manifest, tmp_path / "out", scratch=tmp_path / "none")
    with pytest.raises(OutputError, match="No such file"):
        run_of(work, FakeEngine()).through()
    assert results(tmp_path / "out") == []


def test_downloads_of_a_killed_run_are_removed_by_the_next(tmp_path: Path) -> None:
    killed = Downloads(tmp_path, "all", tmp_path)
    killed.new_path(".mp3").write_text("sound")
    (folder,) = tmp_path.glob("whisper-bento-bulk-*")
    Downloads(tmp_path, "other", tmp_path).clear()
    assert folder.exists()
    Downloads(tmp_path, "all", tmp_path).clear()
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_downloads_is_removed(tmp_path: Path) -> None:
    (precious := tmp_path / "precious").mkdir()
    (tmp_path / ".downloads-all").write_text(str(precious))
    Downloads(tmp_path, "all", tmp_path).clear()
    assert precious.exists()


def test_budget_is_given_in_turn_and_back() -> None:
    async def main() -> list[str]:
        budget, said = Budget(10), list[str]()

        async def take(name: str, size: int) -> None:
            async with budget.taken(size):
                said.append(f"{name} in")
                for _ in range(5):
                    await asyncio.sleep(0)
            said.append(f"{name} out")

        await asyncio.gather(take("a", 6), take("large", 99), take("b", 4))
        return said

    assert asyncio.run(main()) == ["a in", "a out", "large in", "large out", "b in", "b out"]


def test_listing_of_a_bucket_is_a_manifest(tmp_path: Path, bucket: str) -> None:
    for name in ("b.mp3", "sub/a.wav", "sub/notes.txt", ".hidden.mp3"):
        stored(f"{bucket}/{name}", b"sound")
    assert save_manifest(uris_below(bucket), tmp_path / "m.jsonl") == 2
    rows = list(Manifest(tmp_path / "m.jsonl").rows())
    assert [row.uri for row in rows] == ["memory:///bucket/b.mp3", "memory:///bucket/sub/a.wav"]
    run_of(work_of(tmp_path / "m.jsonl", tmp_path / "out"), FakeEngine()).through()
    assert [each["text"] for each in results(tmp_path / "out")] == ["sound", "sound"]


def test_listing_of_a_folder_takes_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name in (b"b.mp3", b"sub/\xff\n.wav", "sub/中.flac".encode(), b"notes.txt"):
        (folder / os.fsdecode(name)).write_text("sound")
    assert save_manifest(uris_below(str(folder)), tmp_path / "m.jsonl") == 3
    run_of(work_of(tmp_path / "m.jsonl", tmp_path / "out"), FakeEngine()).through()
    assert [each["text"] for each in results(tmp_path / "out")] == ["sound"] * 3


def test_linked_folders_are_listed_once(tmp_path: Path) -> None:
    recordings(tmp_path / "elsewhere", ["a"])
    recordings(folder := tmp_path / "in", ["b"])
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "self").symlink_to(folder)
    assert list(uris_below(str(folder))) == [
        str(folder / "00000.wav"),
        str(folder / "link" / "00000.wav"),
    ]


@pytest.mark.parametrize("place", ["/no/such/folder", "memory://no-such-bucket", "nothing://a"])
def test_what_cannot_be_listed_is_said(place: str) -> None:
    with pytest.raises(UsageError):
        list(uris_below(place))


def test_a_thread_that_hangs_keeps_nobody() -> None:
    hanging = threading.Event()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_daemon_thread(hanging.wait), 0.01)
        assert await in_daemon_thread(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            await in_daemon_thread(lambda: 1 // 0)

    # That of `asyncio.to_thread` would be waited for here, for ever.
    asyncio.run(main())
    hanging.set()
