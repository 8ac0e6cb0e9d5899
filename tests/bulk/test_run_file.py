"""The run file: another model or option is another run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bulk.errors import OutputError
from bulk.options import options_hash, options_of
from bulk.run_file import RunFile, check_run, read_run, settle_run
from client.backend.errors import UsageError
from client.backend.request import Request

RUN = RunFile("/m.jsonl", "base:1", options_of(Request()), {"runner": "local"})


def test_same_run_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        settle_run(tmp_path, RUN, is_forced=False)
    assert read_run(tmp_path) == RUN


def test_another_manifest_is_another_run_by_whatever_path(tmp_path: Path) -> None:
    (tmp_path / "day1").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "day1")
    first = replace(RUN, manifest=str(tmp_path / "day1" / "m.jsonl"))
    settle_run(tmp_path, first, is_forced=False)
    same = replace(RUN, manifest=f"{tmp_path}/link/../link/m.jsonl")
    assert first.differences(same) == []
    other = replace(RUN, manifest=str(tmp_path / "day2" / "m.jsonl"))
    with pytest.raises(UsageError, match=r'manifest: ".*day1/m.jsonl" -> ".*day2/m.jsonl"'):
        settle_run(tmp_path, other, is_forced=False)
    settle_run(tmp_path, other, is_forced=True)
    assert read_run(tmp_path) == other


def test_differences_are_named(tmp_path: Path) -> None:
    settle_run(tmp_path, RUN, is_forced=False)
    request = Request(fields=(("language", "de"), ("keywords[]", "Ada")), has_words=True)
    other = replace(RUN, model_tag="tiny:1", options=options_of(request))
    with pytest.raises(UsageError) as refused:
        settle_run(tmp_path, other, is_forced=False)
    for each in (
        'model_tag: "base:1" -> "tiny:1"',
        'language: none -> "de"',
        'keywords[]: none -> ["Ada"]',
        "word_timestamps: false -> true",
    ):
        assert each in str(refused.value)
    assert read_run(tmp_path) == RUN
    settle_run(tmp_path, other, is_forced=True)
    assert read_run(tmp_path) == other


def test_options_are_checked_before_the_model_is_known(tmp_path: Path) -> None:
    check_run(tmp_path, RUN.manifest, RUN.options)
    settle_run(tmp_path, RUN, is_forced=False)
    check_run(tmp_path, RUN.manifest, RUN.options)
    with pytest.raises(UsageError, match='task: "transcribe" -> "translate"'):
        check_run(tmp_path, RUN.manifest, options_of(Request(task="translate")))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2}', '{"version": 1}'])
def test_what_is_no_run_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(OutputError, match=r"run\.json"):
        read_run(tmp_path)


def test_hash_goes_by_values_and_not_by_their_order() -> None:
    assert options_hash({"a": 1, "b": 2}) == options_hash({"b": 2, "a": 1})
    assert options_hash({"a": 1}) != options_hash({"a": 2})
