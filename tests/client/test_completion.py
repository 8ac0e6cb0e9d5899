"""Completion: scripts for shells, and what bash completes with one."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.__main__ import COMMANDS
from cli.__main__ import main as run_program
from client.arguments import SHELLS, transcribe_parser
from tests.client.conftest import Ran

Run = Callable[..., Ran]
# Calls the function as bash does, with the words up to the cursor.
_ASK = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_whisper_bento
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(script: Path, *words: str) -> set[str]:
    """What bash would offer for the last of the words."""
    told = subprocess.run(
        ["bash", "-c", _ASK, "bash", str(script), *words], capture_output=True, check=True
    )
    assert told.stderr == b""
    return set(told.stdout.decode().split())


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Path:
    """The script for bash of the whole program."""
    assert run_program(["completion", "bash"]) == 0
    (path := tmp_path / "completion.bash").write_text(capsys.readouterr().out, encoding="utf-8")
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("whisper-bento", "tr"), {"transcribe", "translate"}),
        (("whisper-bento", "se"), {"serve"}),
        (("whisper-bento", "a.mp3", "--output"), {"--output-dir", "--output-format"}),
        (("whisper-bento", "a.mp3", "-f", "s"), {"srt"}),
        (("whisper-bento", "a.mp3", "--word-timestamps", ""), {"True", "False"}),
        (("whisper-bento", "detect", "--r"), {"--recursive", "--retries"}),
        (("whisper-bento", "jobs", ""), {"list", "show", "wait", "cancel", "rm"}),
        (("whisper-bento", "jobs", "wait", "--st"), {"--status"}),
        (("whisper-bento", "completion", ""), set(SHELLS)),
        (("whisper-bento", "serve", "--"), {"--help"}),
        # Files, which bash offers where nothing is.
        (("whisper-bento", "a.mp3", "b"), set()),
    ],
)
def test_bash(script: Path, words: tuple[str, ...], offered: set[str]) -> None:
    assert completed(script, *words) == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_in_the_script(run: Run, shell: str) -> None:
    status, out, errors = run("completion", shell)
    assert (status, errors) == (0, "")
    known = transcribe_parser("transcribe", "").format_help().split()
    options = {word.strip(",") for word in known if word.startswith("--")}
    assert len(options) > 20
    for option in options:
        assert (f" -l {option[2:]} " if shell == "fish" else option) in out
    for command in ("detect", "status", "watch", "jobs", "completion"):
        # Not as a part of an option, as of --jobs or --status.
        assert re.search(rf"(?<![-\w]){command}(?![-\w])", out)


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_read_their_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    assert run_program(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    option = "--no-execute" if shell == "fish" else "-n"
    subprocess.run([shell, option], input=out.encode(), check=True)


def test_another_shell_is_wrong_usage(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("completion", "tcsh")
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
