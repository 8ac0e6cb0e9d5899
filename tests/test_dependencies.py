"""Dependencies: their reasons in docs/dependencies.md, and the lock of the Node clients."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
NODE = ROOT / "tests" / "wire" / "node"


def test_docs_list_every_dependency_with_its_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *chain.from_iterable(extras)]
    documented = re.findall(
        r"^\| ([\w-]+) \| ([\w.]+) \| \S.* \|$",
        (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert [
        name if version == "any" else f"{name}=={version}"
        for name, version in documented
        if (name, version) != ("package", "version")
    ] == declared


def test_docs_list_every_node_package_with_its_version() -> None:
    wanted = json.loads((NODE / "package.json").read_text(encoding="utf-8"))
    declared = wanted["dependencies"] | wanted["optionalDependencies"]
    documented = re.findall(
        r"^\| `([\w@/-]+)` \| ([\d.]+) \| \S.* \|$",
        (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert dict(documented) == {
        name: pin.removeprefix("npm:openai@") for name, pin in declared.items()
    }


def test_node_lock_has_a_checksum_of_everything_and_names_no_registry() -> None:
    lock = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert "node_modules/openai7" in packages
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
