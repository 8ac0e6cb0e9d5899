"""Another version of a framework than the patches are written for ends the start with one line."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from bentoml.exceptions import BentoMLException

from serving.patches.versions import WRITTEN_FOR, check_versions
from tests.server import PROJECT, failing_start


def test_those_that_are_pinned_are_patched() -> None:
    check_versions()
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(pin.split("==") for pin in project["dependencies"])
    assert {name: pins[name] for name in WRITTEN_FOR} == WRITTEN_FOR


@pytest.mark.parametrize("name", WRITTEN_FOR)
@pytest.mark.parametrize("other", ["0.0.1", "99.0", "{}.post1", "{}+local"])
def test_each_other_version_is_refused_in_one_line(name: str, other: str) -> None:
    wanted = WRITTEN_FOR[name]
    found = other.format(wanted)
    with pytest.raises(BentoMLException) as refused:
        check_versions({**WRITTEN_FOR, name: found}.__getitem__)
    assert str(refused.value) == (
        f"serving/patches is written for other versions: {name} is {found} and must be {wanted}. "
        f"Install with: {sys.executable} -m pip install {name}=={wanted}"
    )


def test_all_that_differ_are_named_and_those_that_are_missing() -> None:
    def installed(package: str) -> str:
        if package == "kantoku":
            raise PackageNotFoundError(package)
        return "1.2" if package == "uvicorn" else WRITTEN_FOR[package]

    with pytest.raises(BentoMLException) as refused:
        check_versions(installed)
    wanted = {name: WRITTEN_FOR[name] for name in ("kantoku", "uvicorn")}
    assert str(refused.value) == (
        "serving/patches is written for other versions: "
        f"kantoku is missing and must be {wanted['kantoku']}, "
        f"uvicorn is 1.2 and must be {wanted['uvicorn']}. Install with: {sys.executable} "
        f"-m pip install kantoku=={wanted['kantoku']} uvicorn=={wanted['uvicorn']}"
    )


def test_the_start_ends_with_that_line(tmp_path: Path) -> None:
    # The first one that Python finds of a name counts.
    metadata = tmp_path / "uvicorn-0.1.2.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: uvicorn\nVersion: 0.1.2\n", encoding="utf-8")

    status, printed = failing_start(PYTHONPATH=str(tmp_path))

    assert status == 1
    assert "Traceback" not in printed
    assert f"uvicorn is 0.1.2 and must be {WRITTEN_FOR['uvicorn']}" in printed.splitlines()[-1]
