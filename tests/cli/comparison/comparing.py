"""The command as tests run it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.compare import main


def compared(
    capsys: pytest.CaptureFixture[str],
    recording: Path,
    *arguments: str,
    environ: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Exit status and the JSON that is printed."""
    status = main([str(recording), *arguments, "--json"], environ or {})
    return status, json.loads(capsys.readouterr().out)


def found(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (call["call"], each["kind"], each["where"])
        for call in document["calls"]
        for each in call["differences"]
    ]


def failure(capsys: pytest.CaptureFixture[str], recording: Path, *arguments: str) -> str:
    """The one line of a comparison that could not be made."""
    assert main([str(recording), *arguments], {}) == 2
    told = capsys.readouterr()
    *plan, line = told.err.splitlines()
    assert all(each.startswith(("here ", "against ")) or " to each." in each for each in plan)
    assert line.startswith("error: ")
    assert "Traceback" not in told.err
    return line
