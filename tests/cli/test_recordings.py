"""`whisper-bento FILE`: what is no command is the client's, if it is something to transcribe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.__main__ import main
from tests.client.serving import TEXT, api, environment, speaking
from tests.server import PROJECT, SECONDS

PROGRAM = [sys.executable, "-m", "cli"]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A file with a name of its own."""
    path = tmp_path / "talk"
    path.write_bytes(b"sound")
    return path


@pytest.mark.parametrize(
    "before",
    [[], ["transcribe"], ["--language", "en"], ["--model=base"], ["--"]],
    ids=lambda each: " ".join(each) or "nothing",
)
def test_a_file_is_transcribed(
    recording: Path,
    before: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with api(speaking()) as url:
        monkeypatch.setenv("WHISPER_URL", url)
        assert main([*before, str(recording)]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (f"{TEXT}\n", "")


def test_a_folder_and_standard_input(recording: Path, tmp_path: Path) -> None:
    recording.rename(tmp_path / "talk.mp3")
    with api(speaking()) as url:
        for arguments, stdin in (([str(tmp_path)], b""), (["-"], b"sound")):
            done = subprocess.run(
                [*PROGRAM, *arguments],
                cwd=PROJECT,
                env=environment(WHISPER_URL=url),
                input=stdin,
                capture_output=True,
                timeout=SECONDS,
                check=True,
            )
    assert done.stdout.decode() == f"{TEXT}\n"
    assert (tmp_path / "talk.txt").is_file()


def test_a_file_that_is_misspelt_is_no_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with api(speaking()) as url:
        monkeypatch.setenv("WHISPER_URL", url)
        assert main(["tlak.mp3"]) == 1
    assert capsys.readouterr().err == "error: tlak.mp3: No such file or directory\n"


def test_a_command_comes_before_a_file_of_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").write_bytes(b"sound")
    with pytest.raises(SystemExit) as stopped:
        main(["models", "--help"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("usage: whisper-bento models ")
