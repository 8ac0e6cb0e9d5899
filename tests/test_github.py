"""GitHub's files: valid by their schemas, and of the stages that `.ci/run` has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
FORMS = sorted(
    set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE/config.yml"}
)
SCHEMAS = {
    "github-workflows": sorted((GITHUB / "workflows").glob("*.yml")),
    "github-issue-forms": FORMS,
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
}
# For whoever is at the keyboard, and a part of `test`.
NO_STAGE = {"test-quick"}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_are_valid(schema: str) -> None:
    files = [str(file) for file in SCHEMAS[schema]]
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, *files], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "ok -- validation done\n")


def test_stages_are_those_that_there_are() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    stages = workflow["jobs"]["stage"]["strategy"]["matrix"]["stage"]
    scripts = {name if name in ("check", "test") else f"test-{name}" for name in stages}
    there = {path.name for path in (ROOT / "scripts").glob("test*")} | {"check"}
    assert scripts == there - NO_STAGE


def test_a_release_is_of_actions_by_digest_and_says_how_it_was_made() -> None:
    text = (GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")
    [job] = yaml.safe_load(text)["jobs"].values()
    given = job["steps"][-1]["with"]

    assert len(re.findall("uses: ", text)) == len(
        re.findall(r"uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)
    )
    assert (given["push"], given["sbom"], given["provenance"]) == (True, True, "mode=max")
    assert {each["device"] for each in job["strategy"]["matrix"]["include"]} == {"cpu", "cuda"}
    arguments = {line.partition("=")[0] for line in given["build-args"].splitlines()}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert arguments <= set(re.findall(r"^ARG (\w+)", dockerfile, flags=re.MULTILINE))


def test_owners_own_what_is_there() -> None:
    lines = (GITHUB / "CODEOWNERS").read_text(encoding="utf-8").splitlines()
    paths = [line.split()[0] for line in lines if line.startswith("/")]
    assert paths
    assert [path for path in paths if not (ROOT / path.strip("/")).exists()] == []


def test_hooks_are_local() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in hooks["repos"]} == {"local"}


def test_python_of_the_editor_is_one_that_is_supported() -> None:
    assert (ROOT / ".python-version").read_text(encoding="utf-8") == "3.11\n"
