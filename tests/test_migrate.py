"""docs/migrate.md: commands that are taken, settings that exist, names that are served."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.settings import Settings
from cli.compare import parser
from cli.comparison.calls import CALLS, transcribing
from cli.comparison.plan import plan_of
from models.checkpoints.catalogue import find_checkpoint
from models.checkpoints.public_names import is_hosted_model, public_checkpoint
from tests.cli.comparison.planted import TOLD

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "migrate.md"
TEXT = PAGE.read_text(encoding="utf-8")
# Of the command, which is no setting of the server.
OF_COMPARE = {"WHISPER_AGAINST_KEY", "WHISPER_HERE_KEY"}


def commands() -> Iterator[str]:
    """The lines of the page's blocks of shell."""
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL):
        yield from block.splitlines()


def comparisons() -> list[str]:
    return [line for line in commands() if "whisper-bento compare" in line]


@pytest.mark.parametrize("line", comparisons())
def test_comparisons_are_taken(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program, command, *arguments = shlex.split(line)

    assert (program, command) == (".venv/bin/whisper-bento", "compare")
    plan = plan_of(parser().parse_args(arguments), {})
    assert plan.recording.is_file()
    assert len(plan.calls) >= 3


def test_there_are_comparisons_with_the_services_of_the_page() -> None:
    assert len(comparisons()) == 4


def test_other_commands_are_taken() -> None:
    rest = [line for line in commands() if line not in comparisons()]
    assert rest == [
        ".venv/bin/whisper-bento import large-v2",
        "WHISPER_DEFAULT_MODEL=large-v2 scripts/serve",
    ]
    assert find_checkpoint("large-v2") is not None
    assert Settings.from_environ({"WHISPER_DEFAULT_MODEL": "large-v2"}).default_model == "large-v2"


def test_settings_that_are_named_exist() -> None:
    # With two underscores they are of another server.
    named = set(re.findall(r"WHISPER_(?!_)[A-Z_]+", TEXT))
    assert len(named) > 10
    assert named - OF_COMPARE - {name for name, _, _ in Settings.table()} == set()


def test_assignments_are_well_formed() -> None:
    """`WHISPER_PORT=9000` and its like."""
    given = re.findall(r"`(?:here: )?(WHISPER_[A-Z_]+)=([^`\s]+)`", TEXT)
    assert len(given) >= 5
    for name, value in given:
        environ = {name: value, "WHISPER_DEFAULT_MODEL": "base", "WHISPER_MODELS": "large-v3"}
        Settings.from_environ(environ)


def test_model_ids_that_are_named_are_served() -> None:
    named = set(re.findall(r"`((?:gpt-|whisper-|distil-|Systran/)[\w./-]+)`", TEXT))
    named -= {"whisper-bento"}
    assert len(named) > 8
    assert [each for each in named if not (is_hosted_model(each) or public_checkpoint(each))] == []


def test_calls_are_counted_as_the_command_counts_them() -> None:
    words = " ".join(TEXT.split())
    assert f"{transcribing(CALLS)} of {len(CALLS)}" in words


def test_options_that_are_named_exist() -> None:
    known = {option for action in parser()._actions for option in action.option_strings}  # noqa: SLF001
    section = TEXT.partition("## Compare")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(--[a-z-]+)", section)) - {"--inference-path"}
    assert len(named) >= 6
    assert named - known == set()


def test_output_that_is_shown_is_that_of_the_command() -> None:
    (shown,) = re.findall(r"\n\n```\n(.*?)```", TEXT, re.DOTALL)
    assert len(shown.splitlines()) == 6
    assert [line for line in shown.splitlines() if line not in TOLD.splitlines()] == []
