"""The in-flight file: who is suspect after a run that was killed."""

from __future__ import annotations

import json
from pathlib import Path

from bulk.inflight import MAX_KILLED_ALONE, Inflight


def killed(folder: Path) -> Inflight:
    """That of the run after one that was killed now."""
    return Inflight(folder, "all")


def test_rows_at_work_are_suspect_after_a_kill(tmp_path: Path) -> None:
    inflight = Inflight(tmp_path, "all")
    for row_id in ("a", "b", "c"):
        inflight.start(row_id)
    inflight.end("a")
    inflight.rest("b")
    assert killed(tmp_path).suspects == {"c"}


def test_a_row_that_was_alone_again_and_again_is_hopeless(tmp_path: Path) -> None:
    inflight = Inflight(tmp_path, "all")
    inflight.start("a")
    for _ in range(MAX_KILLED_ALONE):
        inflight = killed(tmp_path)
        assert inflight.is_suspect("a")
        assert not inflight.is_hopeless("a")
        inflight.start("a")
        inflight.start_alone("a")
    assert killed(tmp_path).is_hopeless("a")


def test_a_suspect_that_waited_is_as_suspect_as_before(tmp_path: Path) -> None:
    Inflight(tmp_path, "all").start("a")
    for _ in range(2 * MAX_KILLED_ALONE):
        killed(tmp_path).start("a")
    assert killed(tmp_path).suspects == {"a"}
    assert not killed(tmp_path).is_hopeless("a")


def test_an_engine_that_was_killed_is_remembered(tmp_path: Path) -> None:
    inflight = Inflight(tmp_path, "all")
    inflight.start("a")
    inflight.suspect("a")
    inflight.close()
    assert killed(tmp_path).suspects == {"a"}


def test_a_run_that_ends_itself_leaves_no_suspects(tmp_path: Path) -> None:
    inflight = Inflight(tmp_path, "all")
    inflight.start("a")
    inflight.close()
    assert list(tmp_path.iterdir()) == []


def test_what_has_a_result_is_not_suspect(tmp_path: Path) -> None:
    inflight = Inflight(tmp_path, "all")
    inflight.start("a")
    inflight.start("b")
    again = killed(tmp_path)
    again.forget_done({"a"})
    assert again.suspects == {"b"}
    assert killed(tmp_path).suspects == {"b"}


def test_shortened_file_has_what_is_at_work(tmp_path: Path) -> None:
    inflight = Inflight(tmp_path, "all")
    for number in range(1000):
        inflight.start(str(number))
        inflight.end(str(number))
    inflight.start("a")
    inflight.shorten()
    assert (tmp_path / "inflight-all").read_text() == '["start", "a", 0]\n'
    inflight.start("b")
    assert killed(tmp_path).suspects == {"a", "b"}


def test_half_a_line_and_odd_ids_are_no_matter(tmp_path: Path) -> None:
    odd = 'a"\n\udcff\\ 中'
    Inflight(tmp_path, "all").start(odd)
    with (tmp_path / "inflight-all").open("a") as file:
        file.write('["start", "b')
    assert killed(tmp_path).suspects == {odd}
    assert json.loads((tmp_path / "inflight-all").read_text()) == ["suspect", odd, 0]
