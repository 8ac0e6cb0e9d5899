"""Runs over an engine that does as recordings say: results, tries, resume, order."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from bulk.driver import PAUSES
from bulk.engine import RowFile, Transcribed
from bulk.row import id_of
from bulk.shard import Shard
from client.backend.errors import RefusedOptionError, UsageError
from client.backend.request import Request
from tests.bulk.doubles import (
    BROKEN,
    FAILING,
    GATED,
    SILENT,
    TAG,
    FakeEngine,
    by_content,
    manifest_of,
    recordings,
    results,
    run_of,
    tally_of,
    work_of,
)


def test_every_row_has_one_result(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", [f"text {n}" for n in range(30)])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"
    engine = FakeEngine()
    tally = tally_of(run_of(work_of(manifest, out), engine))
    found = by_content(out)
    assert [found[path.name]["text"] for path in paths] == [f"text {n}" for n in range(30)]
    assert (tally.ended, tally.failed, engine.most) == (30, 0, engine.in_flight)
    first = found["00000.wav"]
    assert first.keys() == {
        *("id", "uri", "status", "error", "attempts", "language", "duration", "seconds", "host"),
        *("model_tag", "options_hash", "text", "segments"),
    }
    assert (first["id"], first["status"], first["attempts"]) == (id_of(str(paths[0])), "ok", 1)
    assert (first["model_tag"], first["duration"], first["language"]) == (TAG, 2.0, "en")


def test_rows_fail_one_by_one_and_only_what_may_pass_is_tried_again(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["fine", BROKEN, FAILING, SILENT])
    (folder := tmp_path / "in" / "folder.wav").mkdir()
    (unreadable := tmp_path / "in" / "pipe.wav")
    os.mkfifo(unreadable)
    odd = [folder, unreadable, tmp_path / "none.wav", tmp_path / ("x" * 300)]
    manifest, out = manifest_of(tmp_path / "m.jsonl", [*paths, *odd]), tmp_path / "out"
    with manifest.open("a") as file:
        file.write('{"uri": "\\ud800.wav"}\n')
    engine = FakeEngine()
    tally = tally_of(run_of(work_of(manifest, out), engine))
    found = {Path(each["uri"]).name: each for each in results(out)}
    told = {name: (each["error"] or {}).get("code") for name, each in found.items()}
    assert told == {
        "00000.wav": None,
        "00001.wav": "audio_error",
        "00002.wav": "unavailable",
        "00003.wav": None,
        "folder.wav": "unreadable",
        "pipe.wav": "unreadable",
        "none.wav": "not_found",
        "x" * 300: "not_found",
        "\ud800.wav": "not_found",
    }
    assert [found[f"0000{n}.wav"]["attempts"] for n in range(4)] == [1, 1, 3, 1]
    assert (found["00003.wav"]["status"], found["00003.wav"]["text"]) == ("empty", "")
    assert found["00001.wav"]["error"]["message"] == "it is no audio"
    assert (tally.failed, dict(tally.codes)["not_found"]) == (7, 3)
    assert engine.calls[id_of(str(paths[2]))] == len(PAUSES) + 1


def test_a_second_run_does_what_has_no_result(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["a", BROKEN, "c"])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths[:2]), tmp_path / "out"
    run_of(work_of(manifest, out), FakeEngine()).through()
    manifest_of(manifest, paths)
    engine = FakeEngine()
    tally = tally_of(run_of(work_of(manifest, out), engine))
    assert list(engine.calls) == [id_of(str(paths[2]))]
    assert (tally.survey.total, tally.survey.chosen, tally.ended) == (3, 1, 1)
    assert len(by_content(out)) == 3


def test_nothing_to_do_starts_no_engine(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", recordings(tmp_path / "in", ["a"]))
    out = tmp_path / "out"
    run_of(work_of(manifest, out), FakeEngine()).through()

    def refuse(_: object) -> FakeEngine:
        raise AssertionError

    assert tally_of(run_of(work_of(manifest, out), refuse)).survey.chosen == 0


def test_shards_together_do_everything_once(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", [str(n) for n in range(40)])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"
    for index in range(4):
        run_of(work_of(manifest, out, shard=Shard(index, 4)), FakeEngine()).through()
    assert len(by_content(out)) == 40
    assert {path.name[:9] for path in out.glob("part-*")} == {f"part-{n}of4"[:9] for n in range(4)}


def test_the_longest_is_first_and_no_more_than_the_places_run(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["short"] * 20)
    rows = [{"uri": str(path), "duration": n % 7} for n, path in enumerate(paths)]
    rows.append({"uri": str(recordings(tmp_path / "long", ["long"])[0]), "duration": 10_800})
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    engine = FakeEngine(in_flight=3)
    run_of(work_of(manifest, tmp_path / "out"), engine).through()
    assert engine.order[0] == id_of(str(rows[-1]["uri"]))
    assert engine.most == 3


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    recordings(tmp_path / "sub" / "in", ["a"])
    uris = ["in/00000.wav", (tmp_path / "sub/in/00000.wav").as_uri()]
    manifest = manifest_of(tmp_path / "sub" / "m.jsonl", uris)
    run_of(work_of(manifest, tmp_path / "out"), FakeEngine()).through()
    assert [each["text"] for each in results(tmp_path / "out")] == ["a", "a"]


def test_another_model_or_option_is_refused_by_name(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", recordings(tmp_path / "in", ["a", GATED]))
    out = tmp_path / "out"
    paths = recordings(tmp_path / "in", ["a", "b"])
    run_of(work_of(manifest_of(manifest, paths[:1]), out), FakeEngine()).through()
    manifest_of(manifest, paths)
    with pytest.raises(UsageError, match='model_tag: "double:1" -> "double:2"'):
        run_of(work_of(manifest, out), FakeEngine("double:2")).through()
    german = Request(fields=(("language", "de"),))
    with pytest.raises(UsageError, match='language: none -> "de"'):
        run_of(work_of(manifest, out, request=german), FakeEngine()).through()
    assert len(results(out)) == 1
    forced = work_of(manifest, out, request=german, is_forced=True)
    run_of(forced, FakeEngine("double:2")).through()
    assert [each["model_tag"] for each in results(out)] == ["double:1", "double:2"]
    assert len({each["options_hash"] for each in results(out)}) == 2


def test_a_refused_option_ends_the_run_unless_it_is_the_rows_own(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["a"])
    engine = FakeEngine()
    engine.refused = "7"
    manifest = manifest_of(tmp_path / "m.jsonl", paths, options={"temperature": 7})
    run_of(work_of(manifest, tmp_path / "own"), engine).through()
    assert results(tmp_path / "own")[0]["error"]["code"] == "invalid_option"
    manifest_of(manifest, paths)
    work = work_of(manifest, tmp_path / "out", request=Request(fields=(("temperature", "7"),)))
    with pytest.raises(RefusedOptionError, match="temperature"):
        run_of(work, engine).through()
    assert results(tmp_path / "out") == []


def test_subtitles_stand_beside_whatever_the_id(tmp_path: Path) -> None:
    (path,) = recordings(tmp_path / "in", ["a"])
    rows = [{"uri": str(path), "id": "plain-1"}, {"uri": str(path), "id": "../../../etc/x"}]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    work = work_of(manifest, tmp_path / "out", request=Request(formats=("srt", "vtt")))
    run_of(work, FakeEngine()).through()
    assert (tmp_path / "out/srt/plain-1.srt").read_text() == "srt: a"
    assert len(list((tmp_path / "out/vtt").iterdir())) == 2
    assert {each.name for each in tmp_path.iterdir()} == {"in", "m.jsonl", "out"}


def test_results_are_not_kept_in_memory_and_tasks_are_few(tmp_path: Path) -> None:
    (path,) = recordings(tmp_path / "in", ["a" * 2000])
    manifest = tmp_path / "m.jsonl"
    with manifest.open("w") as file:
        for number in range(3000):
            file.write(json.dumps({"uri": str(path), "id": str(number)}) + "\n")

    class Counting(FakeEngine):
        tasks = 0

        async def _said(self, row_file: RowFile) -> Transcribed:
            self.tasks = max(self.tasks, len(asyncio.all_tasks()))
            return await super()._said(row_file)

    engine = Counting(in_flight=8)
    tally = tally_of(run_of(work_of(manifest, tmp_path / "out"), engine))
    assert tally.ended == 3000
    assert engine.calls.total() == 3000
    # Those at work, as many that are fetched, and a few that publish or begin.
    assert engine.tasks <= 2 * 8 + 8
    assert len(list((tmp_path / "out").glob("part-*"))) == 3


def test_an_error_of_a_kind_that_nobody_thought_of_is_one_failed_row(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["a", "b"])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"

    class Odd(FakeEngine):
        async def _said(self, row_file: RowFile) -> Transcribed:
            if row_file.path == paths[0]:
                raise KeyError("position")
            return await super()._said(row_file)

    run_of(work_of(manifest, out), Odd()).through()
    error = by_content(out)["00000.wav"]["error"]
    assert error == {"code": "internal_error", "message": "KeyError: 'position'"}
    assert by_content(out)["00001.wav"]["text"] == "b"
