"""scripts/README.md lists every command."""

from __future__ import annotations

import re

from tests.server import PROJECT

SCRIPTS = PROJECT / "scripts"
# Started by another command.
INTERNAL = {"python -m scripts.bench.competitor", "python -m scripts.quality.mutate"}


def test_readme_lists_every_command_and_no_other() -> None:
    modules = {
        f"python -m {'.'.join(path.relative_to(PROJECT).with_suffix('').parts)}"
        for path in SCRIPTS.rglob("*.py")
        if '\nif __name__ == "__main__":' in path.read_text(encoding="utf-8")
    }
    programs = {f"scripts/{path.name}" for path in SCRIPTS.iterdir() if not path.suffix}
    folders = {f"scripts/{path.name}" for path in SCRIPTS.iterdir() if path.is_dir()}
    text = (SCRIPTS / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `((?:scripts/|python -m )[\w./-]+)", text, re.MULTILINE)

    assert len(listed) == len(set(listed))
    assert set(listed) == (modules | programs) - folders - INTERNAL
