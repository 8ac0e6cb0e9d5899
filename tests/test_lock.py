"""requirements-dev.lock: the pins of pyproject.toml and what they bring, by SHA-256."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
# Each machine has the build that suits it, with a hash of its own.
UNLOCKED = {"torch"}


def entries() -> list[tuple[str, str, int]]:
    """Name, version and count of hashes of each entry, of which a name may have several."""
    lines = re.split(r"\n(?! )", LOCK.replace(" \\\n", "\n").rstrip("\n"))
    heads = [re.match(r"([\w.-]+)==([^\s;]+)", line) for line in lines]
    return [
        (head[1], head[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)))
        for head, line in zip(heads, lines, strict=True)
        if head
    ]


def pins() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return dict(pin.split("==") for pin in declared)


def test_lock_has_the_pins_of_the_project() -> None:
    locked = {name: version for name, version, _ in entries()}
    wanted = {name: version for name, version in pins().items() if name not in UNLOCKED}
    assert {name: locked.get(name) for name in wanted} == wanted, "run scripts/lock"


def test_lock_has_no_build_of_torch() -> None:
    others = [name for name, _, _ in entries() if re.match("torch$|cuda-|nvidia-(?!ml-py)", name)]
    assert others == []


def test_everything_in_the_lock_has_a_hash() -> None:
    assert len(entries()) > 100
    assert [name for name, _, hashes in entries() if not hashes] == []


def test_lock_names_no_place() -> None:
    assert "/" not in re.sub("python_full_version|sys_platform", "", LOCK)
    assert "://" not in LOCK
    assert [line for line in LOCK.splitlines() if line.startswith("-")] == []
