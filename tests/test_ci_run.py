"""`.ci/run` runs the stages that it is asked for, and says how long each took."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = ["check", "test", *(f"test-{name}" for name in ("fidelity", "operation", "browser"))]
SCRIPTS += [f"test-{name}" for name in ("image", "wire", "soak", "quick")]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose stages note that they ran."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    for name in SCRIPTS:
        write(tmp_path, name, f"echo {name} >>ran")
    return tmp_path


def write(checkout: Path, name: str, line: str) -> None:
    script = checkout / "scripts" / name
    script.write_text(f"#!/bin/sh\n{line}\n")
    script.chmod(0o755)


def run(checkout: Path, *stages: str) -> subprocess.CompletedProcess[str]:
    command = [str(checkout / ".ci" / "run"), *stages]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def ran(checkout: Path) -> list[str]:
    return (checkout / "ran").read_text().split()


def test_without_arguments_all_run_and_each_is_timed(checkout: Path) -> None:
    done = run(checkout)

    assert done.returncode == 0
    assert sorted(ran(checkout)) == sorted(set(SCRIPTS) - {"test-quick"})
    assert [line.split()[2].strip(",") for line in done.stdout.splitlines()] == [
        *(f"scripts/{name}" for name in ("check", "test", "test-operation", "test-browser")),
        *(f"scripts/{name}" for name in ("test-image", "test-fidelity", "test-wire", "test-soak")),
    ]


def test_texts_are_compared_beside_what_waits_and_before_the_rest(checkout: Path) -> None:
    write(checkout, "test-fidelity", "sleep 0.5; echo test-fidelity >>ran; echo compared")
    done = run(checkout, "fidelity", "operation", "wire")

    assert ran(checkout) == ["test-operation", "test-fidelity", "test-wire"]
    assert done.stdout.startswith("compared\n")


@pytest.mark.parametrize("stages", [("wire", "check"), ("quick",), ("fidelity",)])
def test_stages_that_are_named_run_in_that_order(checkout: Path, stages: tuple[str, ...]) -> None:
    assert run(checkout, *stages).returncode == 0
    assert [name.removeprefix("test-") for name in ran(checkout)] == list(stages)


@pytest.mark.parametrize("failing", ["check", "test-fidelity", "test-soak"])
def test_stage_that_fails_ends_it_and_is_no_success(checkout: Path, failing: str) -> None:
    write(checkout, failing, "exit 3")

    assert run(checkout).returncode == 3


def test_unknown_stage_runs_nothing(checkout: Path) -> None:
    done = run(checkout, "check", "wires")

    assert done.returncode == 2
    assert done.stderr.startswith(".ci/run: no stage wires; they are: check test fidelity")
    assert not (checkout / "ran").exists()
