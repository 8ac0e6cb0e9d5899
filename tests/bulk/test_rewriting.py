"""Status, compaction, and rows that are taken out to be done again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bulk.errors import AUDIO, STORAGE, UNAVAILABLE, BusyError, OutputError, RowError
from bulk.locks import working
from bulk.parts import parts_of
from bulk.result import Origin, Result, line_of
from bulk.rewriting import compact, passing_ids, take_out_passing
from bulk.row import Row
from bulk.run_file import RunFile, settle_run
from bulk.status import status_of
from tests.bulk.doubles import manifest_of, results

ORIGIN = Origin("base", "0", "here")


def line(row_id: str, code: str | None = None, text: str = "said") -> bytes:
    error = RowError(code, "why") if code else None
    members = {} if code else {"text": text, "duration": 2.0}
    return line_of(Result(Row(row_id, f"{row_id}.wav"), members, error), ORIGIN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two parts: `b` stands twice, `c` and `e` may be done again, `d` may not."""
    (out := tmp_path / "out").mkdir()
    rows = [{"id": name, "uri": f"{name}.wav"} for name in "abcdef"]
    (manifest := tmp_path / "m.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    settle_run(out, RunFile(str(manifest), "base", {}, {}), is_forced=False)
    first = [line("a"), line("b", UNAVAILABLE), line("c", STORAGE), line("d", AUDIO)]
    (out / "part-0of2-000001.jsonl").write_bytes(b"".join(first))
    (out / "part-1of2-000001.jsonl").write_bytes(line("b") + line("b", text="later"))
    (out / "part-1of2-000002.jsonl").write_bytes(line("e", UNAVAILABLE))
    return out


def test_status_counts_a_row_once(folder: Path) -> None:
    found = status_of(folder)
    assert (found["rows"], found["left"], found["duplicates"], found["parts"]) == (6, 1, 2, 3)
    assert (found["ok"], found["empty"], found["failed"]) == (1, 0, 4)
    assert found["retryable"] == 3
    assert found["audio_seconds"] == 2.0


def test_status_without_its_manifest_does_not_know_what_is_left(folder: Path) -> None:
    (folder.parent / "m.jsonl").unlink()
    assert (status_of(folder)["rows"], status_of(folder)["left"]) == (None, None)


def test_status_of_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="has no run"):
        status_of(tmp_path)


def test_compact_keeps_each_row_once_and_what_did_not_fail(folder: Path) -> None:
    assert compact(folder) == 2
    assert list(map(str, parts_of(folder))) == ["part-compact-000001.jsonl"]
    found = {each["id"]: each for each in results(folder)}
    assert sorted(found) == ["a", "b", "c", "d", "e"]
    assert (found["b"]["status"], found["b"]["text"]) == ("ok", "said")
    assert compact(folder) == 0
    assert list(map(str, parts_of(folder))) == ["part-compact-000001.jsonl"]


def test_compact_that_was_killed_is_done_by_the_next(folder: Path) -> None:
    kept = {path: path.read_bytes() for path in folder.glob("part-*")}
    compact(folder)
    # As if it had been killed before it removed the old parts.
    for path, content in kept.items():
        path.write_bytes(content)
    compact(folder)
    assert sorted(each["id"] for each in results(folder)) == ["a", "b", "c", "d", "e"]


def test_taken_out_is_what_may_pass_and_is_not_done_elsewhere(folder: Path) -> None:
    final, passing = passing_ids(folder)
    assert (final, passing) == ({"a", "b", "d"}, {"b", "c", "e"})
    take_out_passing(folder, {"z"})
    assert len(results(folder)) == 7
    take_out_passing(folder, passing)
    assert list(map(str, parts_of(folder))) == ["part-0of2-000001.jsonl", "part-1of2-000001.jsonl"]
    assert [each["id"] for each in results(folder)] == ["a", "d", "b", "b"]


def test_parts_are_not_replaced_under_a_run(folder: Path) -> None:
    with working(folder, "0of2"), pytest.raises(BusyError, match="a run is going on"):
        compact(folder)


def test_what_is_left_goes_by_ids(folder: Path) -> None:
    manifest_of(folder.parent / "m.jsonl", "xyz")
    # `manifest_of` gives no ids: none of these rows has a result, though there are five.
    assert (status_of(folder)["rows"], status_of(folder)["left"]) == (3, 3)
