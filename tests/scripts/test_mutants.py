"""Mutants: one place changed, nothing else, and none of what does not matter."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from scripts.quality import mutate
from scripts.quality.mutants import mutants
from scripts.quality.mutate import TESTS, Replaced

ROOT = Path(__file__).parent.parent.parent


def changed(path: Path, source: str) -> list[str]:
    """The changed lines of each mutant of a source."""
    path.write_text(source, encoding="utf-8")
    before = source.splitlines()
    found = []
    for mutant in mutants(path):
        after = mutant.source.decode().splitlines()
        found.append("; ".join(b for a, b in zip(before, after, strict=True) if a != b).strip())
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["x = (a <= b)"]),
        ("x = a is not b", ["x = (a is b)"]),
        ("x = a and b", ["x = (a or b)"]),
        ("x = not a", ["x = (a)"]),
        ("x = -a", ["x = (a)"]),
        ("x = a // b", ["x = (a / b)"]),
        ("x += a", ["x -= a"]),
        ("x = True", ["x = False"]),
        ("x = 7", ["x = 8"]),
        ("x = 0.5", ["x = 0.75"]),
        ("x = 0.0", ["x = 1.0"]),
        ("x = min(a, b)", ["x = (max(a, b))"]),
        ("x = a if b else c", ["x = (c if b else a)"]),
        ("f(a)", ["pass"]),
        ("if a:\n    b = c", ["if (not a):"]),
        ("x = [a for a in b if a]", ["x = [a for a in b if (not a)]"]),
        ("while a:\n    continue", ["while (not a):", "break"]),
        ("ä = 'ö'; x = a < b", ["ä = 'ö'; x = (a <= b)"]),
    ],
)
def test_what_is_changed(tmp_path: Path, source: str, expected: list[str]) -> None:
    assert changed(tmp_path / "module.py", source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""Text."""',
        "x: int | None = a",
        "def f(a: A | B) -> A | B:\n    return a",
        "@dataclass(frozen=True)\nclass A:\n    pass",
        "assert a < b",
        "x = f'{a + 1}'",
    ],
)
def test_what_is_left_alone(tmp_path: Path, source: str) -> None:
    assert changed(tmp_path / "module.py", source) == []


def test_every_mutant_of_the_house_can_be_compiled() -> None:
    for name in TESTS:
        for path in mutate._modules(ROOT / name):  # noqa: SLF001
            for mutant in mutants(path):
                ast.parse(mutant.source)


def test_all_that_is_named_is_there() -> None:
    named = [*TESTS, *(test for tests in TESTS.values() for test in tests)]

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_same_seed_takes_the_same_mutants() -> None:
    found = mutants(ROOT / "models" / "engine" / "scheduler.py")
    taken = mutate._sample(found, 10, "0 a")  # noqa: SLF001

    assert taken == mutate._sample(found, 10, "0 a")  # noqa: SLF001
    assert taken != mutate._sample(found, 10, "1 a")  # noqa: SLF001
    assert [each.start for each in taken] == sorted(each.start for each in taken)


def test_mutant_is_imported_in_place_of_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    path = Path("changed_for_a_test.py")
    path.write_text("NUMBER = 7\n")
    (mutant,) = mutants(path)
    monkeypatch.setattr(sys, "meta_path", [Replaced(mutant), *sys.meta_path])

    assert import_module("changed_for_a_test").NUMBER == 8
    assert path.read_text() == "NUMBER = 7\n"
    assert str(mutant) == "changed_for_a_test.py:1: 7  ->  8"


@pytest.mark.parametrize(
    ("body", "patience", "passes"),
    [("pass", 60, True), ("assert False", 60, False), ("while True: pass", 5, False)],
)
def test_tests_that_pass_fail_and_hang_are_told_apart(
    tmp_path: Path, body: str, patience: float, passes: bool
) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(f"def test_it() -> None:\n    {body}\n")
    # Not from here, where there are threads already.
    asked = f"mutate._passes(None, [{str(test)!r}], {patience})[0]"
    command = [sys.executable, "-c", f"from scripts.quality import mutate; print({asked})"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == f"{passes}\n"
