"""Choice of clips from a corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.quality.clip_choice import Choice, choose
from scripts.shared.errors import BenchError

ENTRIES = [
    {"path": "a.flac", "text": "a", "language": "en", "seconds": 5, "kind": "read"},
    {"path": "b.flac", "text": "b", "language": "en", "seconds": 40, "kind": "read"},
    {"path": "a.mp3", "text": "a", "language": "en", "seconds": 5, "kind": "format variant of a"},
    {"path": "c.flac", "text": "c", "language": "de", "seconds": 2, "kind": "read, noise added"},
    {"path": "d.flac", "text": "", "language": "none", "seconds": 9, "kind": "music"},
    {"path": "e.flac", "text": "e", "language": "en", "seconds": 6, "kind": "poem"},
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return written(tmp_path, ENTRIES)


def written(folder: Path, entries: list[dict[str, object]]) -> Path:
    lines = [json.dumps(entry) + "\n" for entry in entries]
    (folder / "manifest.jsonl").write_text("".join(lines))
    return folder


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, "abcde"),
        ({"languages": ("de", "none")}, "cd"),
        ({"kind": "read"}, "abc"),
        ({"kind": "format"}, ""),
        ({"longer_than": 5.0}, "bde"),
        ({"shorter_than": 6.0}, "ac"),
        ({"limit": 1}, "acde"),
        ({"limit": 1, "longer_than": 5.0}, "bde"),
    ],
)
def test_choose_takes_what_is_asked_for(
    corpus: Path, options: dict[str, object], names: str
) -> None:
    choice = Choice(corpus, **options)  # type: ignore[arg-type]
    if names:
        assert "".join(clip.path.stem for clip in choose(choice)) == names
    else:
        with pytest.raises(BenchError, match="no recording there is as the options ask for"):
            choose(choice)


def test_choose_takes_a_manifest_or_its_folder(corpus: Path) -> None:
    assert choose(Choice(corpus)) == choose(Choice(corpus / "manifest.jsonl"))


def test_choose_without_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no such manifest, nor a folder with"):
        choose(Choice(tmp_path))


def test_choose_speech_without_text_is_an_error(tmp_path: Path) -> None:
    entries: list[dict[str, object]] = [{"path": "f.flac", "language": "fr", "seconds": 5}]
    with pytest.raises(BenchError, match=r"f\.flac has no text"):
        choose(Choice(written(tmp_path, entries)))
