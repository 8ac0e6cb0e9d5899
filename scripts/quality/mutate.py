"""Mutation testing: which changes of a module its own tests do not notice."""

from __future__ import annotations

import argparse
import importlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from math import ceil
from pathlib import Path
from types import ModuleType

import pytest

from scripts.quality.mutants import Mutant, mutants

# Each module or folder, and the tests that are its own.
TESTS = {
    "models/engine/scheduler.py": [
        "tests/models/engine/test_lanes.py",
        "tests/models/engine/test_scheduler.py",
    ],
    "models/capacity/admission.py": [
        "tests/models/capacity/test_places.py",
        "tests/models/capacity/test_admission.py",
    ],
    "models/capacity/fair_queue.py": [
        "tests/models/capacity/test_fair_queue.py",
        "tests/models/capacity/test_admission.py",
    ],
    "models/capacity/throughput.py": ["tests/models/capacity/test_throughput.py"],
    "models/engine/decoding/token_rules.py": ["tests/models/engine/decoding/test_token_rules.py"],
    "models/text": ["tests/models/text"],
    "api/keys.py": ["tests/api/test_keys.py", "tests/api/test_any_other_key.py"],
}
# Imported once, before the first mutant: they take longer than most tests. None is of the house.
SLOW_IMPORTS = ["torch", "whisper", "bentoml", "hypothesis", "fastapi.testclient", "opencc"]
# Pytest's asserts are not rewritten in what was imported before.
OPTIONS = ["-x", "-n0", "--hypothesis-seed=0", "-p", "no:cacheprovider"]
OPTIONS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
# A mutant's tests may take so many times the CPU that the tests of the module take, these seconds
# more, and so many times all that on the clock: others may have the CPU.
PATIENCE, PATIENCE_SECONDS, WAITING = 3, 5, 30


class Replaced(MetaPathFinder, Loader):
    """Imports a mutant in place of its module; the file stays as it is."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = ".".join(mutant.path.with_suffix("").parts)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Itself as the loader of that one module."""
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._mutant.path.absolute(), loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        code = compile(self._mutant.source, str(self._mutant.path), "exec")
        exec(code, module.__dict__)  # noqa: S102 - it is our own source


@dataclass
class Score:
    """What became of the mutants of one module."""

    path: Path
    killed: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    def __str__(self) -> str:
        total = self.killed + len(self.survivors)
        share = f"{100 * self.killed / total:3.0f} %" if total else "    -"
        return f"{share}  {self.killed:4d} of {total:4d}  {self.path}"


def main() -> int:
    """Run the mutants asked for and print what survives; 0 unless tests fail without a mutant."""
    asked = _parser().parse_args()
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    deadline = time.monotonic() + asked.seconds
    paths = asked.modules or [path for each in TESTS for path in _modules(Path(each))]
    scores = [_score(path, asked, deadline) for path in paths]
    print("killed")
    for score in scores:
        print(score)
    whole = Score(Path("all"), sum(score.killed for score in scores))
    whole.survivors = [mutant for score in scores for mutant in score.survivors]
    print(whole)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", type=Path, help="all that have tests here if none")
    parser.add_argument("--seed", type=int, default=0, help="which mutants are taken (0)")
    parser.add_argument("--limit", type=int, default=40, help="mutants of a module (40)")
    parser.add_argument("--seconds", type=float, default=3600, help="for everything (3600)")
    return parser


def _modules(path: Path) -> list[Path]:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [file for file in files if file.name != "__init__.py"]


def _score(path: Path, asked: argparse.Namespace, deadline: float) -> Score:
    tests = next(tests for name, tests in TESTS.items() if path.is_relative_to(name))
    taken = _sample(mutants(path), asked.limit, f"{asked.seed} {path}")
    score = Score(path)
    passes, took = _passes(None, tests, asked.seconds)
    if not passes:
        raise SystemExit(f"scripts/mutate: {tests} fail without a mutant")
    for number, mutant in enumerate(taken):
        if time.monotonic() > deadline:
            print(f"out of time: {len(taken) - number} mutants of {path} are left", flush=True)
            break
        if _passes(mutant, tests, PATIENCE * took + PATIENCE_SECONDS)[0]:
            score.survivors.append(mutant)
            print(f"survives: {mutant}", flush=True)
        else:
            score.killed += 1
    return score


def _sample(found: list[Mutant], limit: int, seed: str) -> list[Mutant]:
    """So many of them, the same ones for a seed, in the order of their lines."""
    shuffled = random.Random(seed)  # noqa: S311 - no secret
    chosen = shuffled.sample(range(len(found)), min(limit, len(found)))
    return [found[index] for index in sorted(chosen)]


def _passes(mutant: Mutant | None, tests: list[str], patience: float) -> tuple[bool, float]:
    """Whether all tests pass with the mutant, and the seconds of CPU that they took.

    In a process of its own, which is ended after `patience` of these, or when it seems to wait.
    """
    child = os.fork()
    if not child:
        _test(mutant, tests, patience)
    deadline = time.monotonic() + WAITING * patience
    while time.monotonic() < deadline:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return status == 0, usage.ru_utime + usage.ru_stime
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False, patience


def _test(mutant: Mutant | None, tests: list[str], patience: float) -> None:
    """Run the tests and end the process: what they print and find out is kept nowhere."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(patience), ceil(patience)))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1), os.dup2(nowhere, 2)
    status = 3
    try:
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = scratch
            if mutant:
                sys.meta_path.insert(0, Replaced(mutant))
            status = pytest.main([*OPTIONS, *tests])
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
