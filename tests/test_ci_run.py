"""`.ci/run` runs the stages that it is asked for, and says how long each took."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

SECONDS = 120
ROOT = Path(__file__).parent.parent
STAGES = ["check", "operation", "test", "wire", "fidelity", "image", "browser", "soak"]
SCRIPTS = {name: name if name in ("check", "test") else f"test-{name}" for name in STAGES}
SCRIPTS["quick"] = "test-quick"
# Waits until the other stage has begun: by a file of each.
MEET = "touch {0}; for i in $(seq 1000); do [ -e {1} ] && exit; sleep 0.1; done; exit 1"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose stages note that they ran."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    write(tmp_path, "setup", "true")
    for name in SCRIPTS:
        write(tmp_path, name, f"echo {name} >>ran")
    return tmp_path


def write(checkout: Path, stage: str, line: str) -> None:
    script = checkout / "scripts" / SCRIPTS.get(stage, stage)
    script.write_text(f"#!/bin/sh\n{line}\n")
    script.chmod(0o755)


def run(checkout: Path, *stages: str) -> subprocess.CompletedProcess[str]:
    command = [str(checkout / ".ci" / "run"), *stages]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def ran(checkout: Path) -> list[str]:
    return (checkout / "ran").read_text().split()


def timed(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the table at the end says, line by line, without the seconds."""
    return [line.split("s  ")[1] for line in done.stdout.splitlines() if " s  " in line]


def test_without_arguments_all_run_and_each_is_timed(checkout: Path) -> None:
    done = run(checkout)

    assert done.returncode == 0
    assert sorted(ran(checkout)) == sorted(STAGES)
    *stages, total = timed(done)
    assert sorted(stages) == sorted(f"scripts/{SCRIPTS[name]}" for name in STAGES)
    assert total == "in all"


def test_two_run_at_once(checkout: Path) -> None:
    write(checkout, "check", MEET.format("one", "other"))
    write(checkout, "operation", MEET.format("other", "one"))

    assert run(checkout).returncode == 0


def test_a_third_waits(checkout: Path) -> None:
    line = "echo begins >>ran; sleep 0.3; echo ends >>ran"
    for name in ("check", "test", "wire"):
        write(checkout, name, line)
    run(checkout, "check", "test", "wire")

    assert ran(checkout)[:3] == ["begins", "begins", "ends"]


def test_lines_of_two_stages_do_not_mix(checkout: Path) -> None:
    lines = "for i in $(seq 20); do echo {0}; sleep 0.01; done"
    write(checkout, "check", lines.format("checked"))
    write(checkout, "operation", lines.format("operated"))

    said = [
        line for line in run(checkout, "check", "operation").stdout.splitlines() if "ed" in line
    ]
    assert said in (["checked"] * 20 + ["operated"] * 20, ["operated"] * 20 + ["checked"] * 20)


@pytest.mark.parametrize("stages", [("check", "quick"), ("quick",), ("operation", "wire")])
def test_only_stages_that_are_named_run(checkout: Path, stages: tuple[str, ...]) -> None:
    assert run(checkout, *stages).returncode == 0
    assert sorted(ran(checkout)) == sorted(stages)


@pytest.mark.parametrize("failing", [STAGES[0], STAGES[-1]])
def test_what_fails_stops_no_other(checkout: Path, failing: str) -> None:
    write(checkout, failing, "exit 3")
    done = run(checkout)

    assert done.returncode == 1
    assert sorted(ran(checkout)) == sorted(set(STAGES) - {failing})
    assert f"scripts/{SCRIPTS[failing]}, failed (3)" in timed(done)


def test_tests_that_failed_are_told_again_at_the_end(checkout: Path) -> None:
    lines = ["FAILED tests/test_a.py::test_b - assert 1 == 2", "ERROR tests/test_c.py - OSError"]
    # The next stage is long.
    write(
        checkout, "check", f"printf '%s\\n' '{lines[0]}' '{lines[1]}' 'E  FAILED no line'; exit 1"
    )
    write(checkout, "test", "echo FAILED is no summary of what passes; seq 1000")
    done = run(checkout, "check", "test")

    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == lines
    assert done.stdout.splitlines()[-3].endswith(" s  in all")


def test_a_stage_that_is_killed_is_a_failure(checkout: Path) -> None:
    write(checkout, "check", "kill -KILL $PPID")

    assert run(checkout, "check").returncode == 1


def test_when_it_is_stopped_its_stages_end(checkout: Path) -> None:
    write(checkout, "check", "echo $$ >pid; sleep 60")
    with subprocess.Popen(
        [str(checkout / ".ci" / "run"), "check"], stdout=subprocess.PIPE
    ) as started:
        while not (checkout / "pid").exists() or not (checkout / "pid").read_text():
            time.sleep(0.01)
        started.terminate()

    assert started.returncode == 143
    assert ended(int((checkout / "pid").read_text()))


def ended(pid: int) -> bool:
    """Whether a process has ended, or does within seconds."""
    for _ in range(100 * SECONDS):
        if (
            not Path(f"/proc/{pid}/cmdline").exists()
            or not Path(f"/proc/{pid}/cmdline").read_text()
        ):
            return True
        time.sleep(0.01)
    return False


def test_unknown_stage_runs_nothing(checkout: Path) -> None:
    done = run(checkout, "check", "wires")

    assert done.returncode == 2
    assert done.stderr.startswith(".ci/run: no stage wires; they are: check operation test")
    assert not (checkout / "ran").exists()
