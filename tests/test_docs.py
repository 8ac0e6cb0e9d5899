"""The documents: lines that can be read, links that lead somewhere, and files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for folder in (ROOT, ROOT / "docs", ROOT / ".github")
    for page in folder.glob("*.md")
    # What an upgrade of the tools writes on the way is nobody's page.
    if not page.name.startswith(".")
)
COLUMNS = 100
README_WORDS = 700
# Written `like/this.py`: a file or a folder from the root of the repository.
FOLDERS = ("api/", "cli/", "deploy/", "docs/", "models/", "scripts/", "serving/", "tests/")
NAMED = re.compile(rf"`((?:{'|'.join(FOLDERS)})[\w./-]*)`")
LINK = re.compile(r"\[[^\]]+\]\((?!https?:)([^)\s]+)\)")
# What whoever runs the server makes.
NOT_IN_THE_REPOSITORY = {"deploy/secrets", "deploy/secrets/api-keys", "deploy/whisper.env"}
# Rooms that docs/structure.md keeps a place for.
PLANNED = {"api/dialects", "api/jobs", "api/realtime", "models/jobs", "models/live"} | {
    "models/speakers"
}


def names(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


def prose(page: Path) -> Iterator[str]:
    """The lines that are neither in a table nor code."""
    is_code = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code and not line.lstrip().startswith("|"):
            yield line


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = [line.lstrip("#").strip() for line in prose(page) if line.startswith("#")]
    return {re.sub(r"[^\w\s-]", "", each.lower()).replace(" ", "-") for each in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_lines_of_prose_are_within_their_width(page: Path) -> None:
    assert [line for line in prose(page) if len(line) > COLUMNS] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not leads_somewhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_files_that_are_named_are_there(page: Path) -> None:
    named = {name.rstrip("/.") for name in NAMED.findall(page.read_text(encoding="utf-8"))}
    missing = {name for name in named if not (ROOT / name).exists()}
    assert missing <= NOT_IN_THE_REPOSITORY


def test_readme_is_read_in_three_minutes() -> None:
    # At 250 words a minute; tables and code are looked at, not read.
    words = " ".join(prose(ROOT / "README.md")).split()
    assert len(words) <= README_WORDS


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    reached = {link.partition("#")[0] for link in linked}
    contributing = LINK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert pages <= reached | set(contributing)
