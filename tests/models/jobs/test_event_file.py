"""Event files: whole lines, numbered, whatever a crash has left."""

from __future__ import annotations

from pathlib import Path

from models.jobs.event_file import EventFile


def test_events_are_read_from_any_one_on(tmp_path: Path) -> None:
    events = EventFile(tmp_path / "events")
    assert (events.read(), events.mend()) == ([], 0)

    events.append(["one", "zwei Wörter"])
    events.append(["three"])

    assert events.read() == ["one", "zwei Wörter", "three"]
    assert events.read(2) == ["three"]
    assert events.nbytes == len("one\nzwei Wörter\nthree\n".encode())
    assert events.read(7) == []
    events.remove()
    events.remove()
    assert events.nbytes == 0
    assert events.read() == []


def test_line_that_was_cut_short_is_no_event_and_is_removed_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events"
    events = EventFile(path)
    path.write_bytes("one\nzwei W\xc3".encode("latin-1"))

    assert events.read() == ["one"]
    assert events.mend() == 1
    events.append(["two"])
    assert events.read() == ["one", "two"]
