"""Parts: published whole, numbered on, and whole on a full disk."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from bulk.errors import OutputError
from bulk.part_writer import PartWriter
from bulk.parts import PartName, done_ids, lines_of, parts_of
from bulk.result import Origin, Result, line_of
from bulk.row import Row
from tests.server import PROJECT, SECONDS

ORIGIN = Origin("base", "0", "here")
# Writes results until the limit of a file's size is reached, as a full disk is.
FULL = """
import asyncio, resource, sys
from pathlib import Path
from bulk.errors import OutputError
from bulk.part_writer import PartWriter
from tests.bulk.test_part_writer import line

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    parts = PartWriter(Path(sys.argv[1]), "all")
    try:
        for number in range(1000):
            parts.write(line(str(number)))
    except OutputError as error:
        print(error)
        await parts.publish()

asyncio.run(main())
"""


DAMAGED = [
    *(b'{"id": "a"', b"{}\n", b"a\n", b'{"id": "a", "text": "b"}'),
    *(b'{"id": "z"}\n', b'{"id": "z", "status": "no"}\n'),
    b'{"id": "z", "status": "failed", "error": {}}\n',
    b'{"id": "z", "status": "ok", "duration": "2"}\n',
]


def line(row_id: str, text: str = "said") -> bytes:
    return line_of(Result(Row(row_id, f"{row_id}.wav"), {"text": text}), ORIGIN)


def test_a_part_is_published_after_so_many_rows(tmp_path: Path) -> None:
    async def main() -> None:
        parts, published = PartWriter(tmp_path, "all", rows=3), asyncio.Event()
        task = asyncio.create_task(parts.publish_in_time(published.set))
        for number in range(4):
            parts.write(line(str(number)))
            if number == 2:
                await published.wait()
        assert parts_of(tmp_path) == [PartName("all", 1)]
        parts.close()
        await task
        await parts.publish()

    asyncio.run(main())
    assert [str(each) for each in parts_of(tmp_path)] == [
        "part-all-000001.jsonl",
        "part-all-000002.jsonl",
    ]
    assert done_ids(tmp_path) == {"0", "1", "2", "3"}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_part_is_published_after_its_time(tmp_path: Path) -> None:
    now, looks = [0.0], [0]

    async def main() -> None:
        published, has_looked = asyncio.Event(), asyncio.Event()

        def clock() -> float:
            looks[0] += 1
            if looks[0] > 3:
                has_looked.set()
            return now[0]

        parts = PartWriter(tmp_path, "all", seconds=60.0, clock=clock)
        task = asyncio.create_task(parts.publish_in_time(published.set, look=0.01))
        parts.write(line("a"))
        now[0] = 59.0
        # The first look is the writer's own, of when the part began.
        await has_looked.wait()
        assert not published.is_set()
        now[0] = 61.0
        await published.wait()
        parts.close()
        await task

    asyncio.run(main())
    assert done_ids(tmp_path) == {"a"}


def test_a_killed_run_leaves_no_part_and_the_next_one_counts_on(tmp_path: Path) -> None:
    async def main() -> None:
        first = PartWriter(tmp_path, "1of2")
        first.write(line("a"))
        await first.publish()
        first.write(line("b"))
        # Killed here: what is not published has no part's name.
        assert done_ids(tmp_path) == {"a"}
        second = PartWriter(tmp_path, "1of2")
        second.write(line("b"))
        await second.publish()
        other = PartWriter(tmp_path, "0of2")
        other.write(line("c"))
        await other.publish()

    asyncio.run(main())
    assert list(map(str, parts_of(tmp_path))) == [
        *("part-0of2-000001.jsonl", "part-1of2-000001.jsonl", "part-1of2-000002.jsonl")
    ]
    assert done_ids(tmp_path) == {"a", "b", "c"}


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert done.stdout == f"{tmp_path}: File too large\n"
    (part,) = parts_of(tmp_path)
    ids = [head["id"] for _, head in lines_of(tmp_path, part)]
    assert ids == [str(number) for number in range(len(ids))]
    assert 10_000 - 2 * len(line("100")) < (tmp_path / str(part)).stat().st_size <= 10_000


def test_heads_are_read_without_texts(tmp_path: Path) -> None:
    odd = 'he said: , "text": {} and "id": "x"'
    (tmp_path / "part-all-000001.jsonl").write_bytes(
        line_of(Result(Row(odd, f"{odd}\udcff", 3.0), {"text": odd, "words": [odd]}), ORIGIN)
    )
    ((_, head),) = lines_of(tmp_path, PartName("all", 1))
    assert (head["id"], head["status"], head["duration"]) == (odd, "ok", 3.0)
    assert "text" not in head


@pytest.mark.parametrize("content", DAMAGED)
def test_a_part_that_is_damaged_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "part-all-000001.jsonl").write_bytes(line("ok") + content)
    with pytest.raises(OutputError, match=r"part-all-000001\.jsonl, line 2"):
        done_ids(tmp_path)


def test_other_files_are_no_parts(tmp_path: Path) -> None:
    for name in ("part-all-1.jsonl.tmp", ".part-all-000001.jsonl", "part-.jsonl", "run.json"):
        (tmp_path / name).write_text("no part")
    assert parts_of(tmp_path) == []
    assert parts_of(tmp_path / "none") == []
