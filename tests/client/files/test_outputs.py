"""Names of output files, and how they are written."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from client.backend.errors import UsageError
from client.backend.request import Format, Recording
from client.files.outputs import Outputs, are_done, with_format, write_all


def recording(path: str, below: str | None = None) -> Recording:
    return Recording(Path(path), path, Path(below or Path(path).name))


def names(folder: Path | None, *recordings: Recording) -> list[str]:
    outputs = Outputs(("srt",), folder)
    outputs.know(recordings)
    return [outputs.of(each)["srt"].as_posix() for each in recordings]


def test_beside_the_recording() -> None:
    assert names(None, recording("a/talk.mp3"), recording("b.c/x.y.wav"), recording("noise")) == [
        *("a/talk.srt", "b.c/x.y.srt", "noise.srt"),
    ]


def test_below_a_folder_with_the_folders_of_the_recordings() -> None:
    found = names(Path("out"), recording("in/sub/talk.mp3", "sub/talk.mp3"), recording("x/b.mp3"))
    assert found == ["out/sub/talk.srt", "out/b.srt"]


def test_names_that_would_be_the_same_keep_their_suffix() -> None:
    found = names(None, recording("a.mp3"), recording("A.wav"), recording("b.mp3"))
    assert found == ["a.mp3.srt", "A.wav.srt", "b.srt"]
    assert names(Path("out"), recording("x/a.mp3"), recording("y/a.wav"))[0] == "out/a.mp3.srt"


def test_a_name_that_is_kept_whole_is_nobody_elses() -> None:
    found = names(None, recording("a.mp3"), recording("a.wav"), recording("a.mp3.flac"))
    assert found == ["a.mp3.srt", "a.wav.srt", "a.mp3.flac.srt"]


@pytest.mark.parametrize("second", ["y/a.mp3", "y/A.mp3"])
def test_the_same_name_from_two_folders_is_refused_below_a_folder(second: str) -> None:
    both = [recording("x/a.mp3"), recording(second)]
    beside, below = Outputs(("srt",), None), Outputs(("srt",), Path("out"))
    for outputs in (beside, below):
        outputs.know(both)
    beside.check(both)
    with pytest.raises(UsageError, match=rf"^x/a.mp3 and {second} would have the same file, "):
        below.check(both)


def test_a_recording_is_never_an_output() -> None:
    assert names(None, recording("a.srt")) == ["a.srt.srt"]
    assert names(None, recording("a.mp3"), recording("b/../a.srt"))[0] == "a.mp3.srt"


@pytest.mark.parametrize("name", ["txt", "json"])
def test_paths_of_windows_and_of_others(name: Format) -> None:
    windows = with_format(PureWindowsPath(r"C:\Meine Töne\vortrag 1.teil"), name)
    assert windows == PureWindowsPath(rf"C:\Meine Töne\vortrag 1.teil.{name}")
    share = with_format(PureWindowsPath(r"\\server\share\a"), name)
    assert share == PureWindowsPath(rf"\\server\share\a.{name}")
    assert with_format(PurePosixPath("/Volumes/a:b/c"), name).name == f"c.{name}"


def test_done_is_every_output_and_none_older(tmp_path: Path) -> None:
    source, first, second = (tmp_path / name for name in ("a.mp3", "a.srt", "a.vtt"))
    for path in (source, first):
        path.write_bytes(b"")
        os.utime(path, ns=(10**18, 10**18))
    assert are_done(source, [first])
    assert not are_done(source, [first, second])
    second.write_bytes(b"")
    os.utime(second, ns=(10**18 - 1, 10**18 - 1))
    assert not are_done(source, [first, second])
    assert not are_done(tmp_path / "no.mp3", [first])


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_all({path: "a\nß\r\n\udcff"})
    assert path.read_bytes() == "a\nß\r\n?".encode()
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_nothing_is_left_where_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        write_all({tmp_path / "a.txt": "a", tmp_path / "file" / "b.txt": "b"})
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
