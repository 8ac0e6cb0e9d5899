"""Which recordings arguments name."""

from __future__ import annotations

import io
from pathlib import Path, PureWindowsPath

import pytest

from client.backend.errors import UsageError
from client.files.media import is_media
from client.files.recordings import recordings_of, stdin_copy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings in two folders, and what is none."""
    (tmp_path / "sub").mkdir()
    for name in ("b.MP3", "a.wav", "a.srt", "notes.txt", ".hidden.mp3", "sub/c.mkv"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.mp3").mkdir()
    return tmp_path


def test_a_folder(folder: Path) -> None:
    assert [each.below.as_posix() for each in recordings_of([str(folder)])] == ["a.wav", "b.MP3"]
    found = recordings_of([str(folder)], recursive=True)
    assert [each.below.as_posix() for each in found] == ["a.wav", "b.MP3", "sub/c.mkv"]


def test_files_are_taken_as_they_are_named_each_once(folder: Path) -> None:
    named = [str(folder / "notes.txt"), str(folder / "sub" / ".." / "a.wav"), str(folder)]
    found = recordings_of(named)
    assert [each.name for each in found] == [*named[:2], str(folder / "b.MP3")]


def test_a_pattern_that_no_shell_has_expanded(folder: Path) -> None:
    assert [each.path.name for each in recordings_of([str(folder / "*.wav")])] == ["a.wav"]
    assert [each.path.name for each in recordings_of([str(folder / "*.ogg")])] == ["*.ogg"]


def test_a_file_whose_name_is_a_pattern(folder: Path) -> None:
    (folder / "[a].wav").write_bytes(b"")
    assert [each.path.name for each in recordings_of([str(folder / "[a].wav")])] == ["[a].wav"]


def test_what_can_be_no_file(folder: Path) -> None:
    with pytest.raises(UsageError):
        recordings_of([str(folder / "no" / "..")])


def test_standard_input_is_copied_and_deleted() -> None:
    with stdin_copy(io.BytesIO(b"piped")) as path:
        [recording] = recordings_of(["-"], stdin=path)
        assert recording.is_stdin
        assert recording.path.read_bytes() == b"piped"
    assert not path.parent.exists()


def test_media_by_its_suffix() -> None:
    assert is_media(PureWindowsPath(r"C:\a.b\TALK.M4A"))
    assert not is_media(PureWindowsPath(r"C:\a.mp3\talk.json"))
    assert not is_media(PureWindowsPath("mp3"))
