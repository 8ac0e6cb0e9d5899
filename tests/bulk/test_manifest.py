"""Manifests: every row in turn, and errors that name their line."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path

import pytest

from bulk.manifest import Manifest, Survey
from client.backend.errors import UsageError


def written(path: Path, *lines: bytes) -> Manifest:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return Manifest(path)


def test_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    manifest = written(tmp_path / "m.jsonl", b'\xef\xbb\xbf{"uri": "a"}', b"", b'{"uri": "b"}')
    assert [(number, row.uri) for number, row in manifest.numbered()] == [(1, "a"), (3, "b")]


def test_gzip_is_read_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"uri": "a"}\n'))
    assert [row.uri for row in Manifest(path).rows()] == ["a"]


def test_survey_counts_what_is_chosen(tmp_path: Path) -> None:
    manifest = written(tmp_path / "m", b'{"uri": "a", "duration": 2}', b'{"uri": "b"}')
    assert manifest.survey(lambda row: row.uri == "a") == Survey(2, 1, 2.0)
    assert manifest.survey(lambda row: True) == Survey(2, 2, None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"talk.mp3", "line 2: no JSON"),
        (b'{"uri": "\xff"}', "line 2: no JSON"),
        (b"[" * 100_000, "line 2: no JSON"),
        (b'"a"', "line 2: a row is a JSON object"),
        (b'{"id": "x"}', "line 2: a row needs a uri"),
        (b'{"uri": "b", "id": "same"}', "lines 1 and 2 have the same id 'same'"),
    ],
)
def test_errors_name_their_line(tmp_path: Path, line: bytes, message: str) -> None:
    manifest = written(tmp_path / "m.jsonl", b'{"uri": "a", "id": "same"}', line)
    with pytest.raises(UsageError, match=message):
        manifest.survey(lambda row: True)


def test_same_uri_twice_is_the_same_id(tmp_path: Path) -> None:
    manifest = written(tmp_path / "m.jsonl", *[b'{"uri": "a"}'] * 2)
    with pytest.raises(UsageError, match="lines 1 and 2 have the same id"):
        manifest.survey(lambda row: True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.gz", gzip.compress(b'{"uri": "a"}\n')[:-9], "after line"),
        ("no.gz", b'{"uri": "a"}\n', "after line 0"),
        ("m.parquet", b"PAR1", "Parquet is not read"),
    ],
    ids=["cut", "not compressed", "another kind"],
)
def test_what_cannot_be_read_is_said(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (path := tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        Manifest(path).survey(lambda row: True)


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_manifest_without_rows_is_said(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match="has no rows"):
        written(tmp_path / "m.jsonl", content).survey(lambda row: True)


def test_missing_manifest_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        Manifest(tmp_path / "m.jsonl").survey(lambda row: True)


def test_a_pipe_is_no_manifest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.jsonl")
    with pytest.raises(UsageError, match="read more than once"):
        Manifest(tmp_path / "m.jsonl").survey(lambda row: True)


def test_memory_is_of_ids_alone(tmp_path: Path) -> None:
    note = "x" * 4000
    with (path := tmp_path / "m.jsonl").open("w") as file:
        for number in range(5000):
            file.write(json.dumps({"uri": f"{number}.wav", "note": note}) + "\n")
    tracemalloc.start()
    try:
        assert Manifest(path).survey(lambda row: True).total == 5000
        # 20 MB of lines; some 150 bytes of each are kept.
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
