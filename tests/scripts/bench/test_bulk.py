"""The benchmark of the bulk driver, over few rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.bench.bulk import main


def test_every_row_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "300", "--json", str(tmp_path / "bulk.json")]) == 0
    report = json.loads((tmp_path / "bulk.json").read_text("utf-8"))
    figures = {name: value for name, value in report.items() if isinstance(value, float)}
    assert figures.keys() == {
        *("wall_ms_per_row", "cpu_ms_per_row", "memory_mb", "memory_grown_mb"),
        *("resume_seconds", "status_seconds"),
    }
    assert all(value >= 0 for value in figures.values())
    assert "cpu_ms_per_row" in capsys.readouterr().out
