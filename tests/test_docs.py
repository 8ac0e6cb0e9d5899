"""The documents: lines that can be read, links that lead somewhere, and files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_house import ABOVE_THEIR_FOLDER, ROOMS

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page for folder in (ROOT, ROOT / "docs", ROOT / ".github") for page in folder.glob("*.md")
)
COLUMNS = 100
TEMPLATE = "PULL_REQUEST_TEMPLATE.md"
README_WORDS = 700
# Written `like/this.py`: a file or a folder from the root of the repository.
FOLDERS = (
    "api/",
    "bulk/",
    "cli/",
    "client/",
    "deploy/",
    "docs/",
    "models/",
    "scripts/",
    "serving/",
    "tests/",
)
NAMED = re.compile(rf"`((?:{'|'.join(FOLDERS)})[\w./-]*)`")
LINK = re.compile(r"\[[^\]]+\]\((?!https?:)([^)\s]+)\)")
# What whoever runs the server makes.
NOT_IN_THE_REPOSITORY = {"deploy/secrets", "deploy/secrets/api-keys", "deploy/whisper.env"}
# Rooms that docs/structure.md keeps a place for.
PLANNED = {
    "models/speakers",
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
    assert missing <= NOT_IN_THE_REPOSITORY | PLANNED


def test_planned_rooms_are_not_there_yet() -> None:
    text = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    assert [room for room in PLANNED if f"`{room}/`" not in text or (ROOT / room).exists()] == []


def test_structure_lists_every_room() -> None:
    text = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    folders = {room.replace(".", "/") for room in ROOMS if room not in ABOVE_THEIR_FOLDER}
    assert [folder for folder in sorted(folders) if f"`{folder}/`" not in text] == []


def who_decides() -> Iterator[tuple[str, str]]:
    """The rows of "Which file decides ...?": each file by its bare name, and its rooms."""
    text = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    table = text.partition("| question | room | file |")[2].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        _, _, rooms, files, _ = row.split("|")
        yield from ((file.strip(), rooms) for file in files.split(","))


@pytest.mark.parametrize(("file", "rooms"), list(who_decides()))
def test_file_that_decides_is_in_its_room(file: str, rooms: str) -> None:
    folders = re.findall(r"`([\w/]+)/`", rooms)
    assert any(
        (ROOT / folder / name).exists() for folder in folders for name in (file, f"{file}.py")
    )


def does_it() -> Iterator[tuple[str, str]]:
    """Files that the glossary names in brackets behind their room."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for room, files in re.findall(r"`([\w/]+)/` \(([\w, ]+)\)", text):
        yield from ((room, file.strip()) for file in files.split(","))


@pytest.mark.parametrize(("room", "file"), list(does_it()))
def test_file_of_a_term_is_in_its_room(room: str, file: str) -> None:
    assert (ROOT / room / f"{file}.py").is_file()


def test_readme_is_read_in_three_minutes() -> None:
    # At 250 words a minute; tables and code are looked at, not read.
    words = " ".join(prose(ROOT / "README.md")).split()
    assert len(words) <= README_WORDS


def pages_behind(page: Path) -> set[Path]:
    """The pages that a page links to."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    targets = {(page.parent / link.partition("#")[0]).resolve() for link in links}
    return {target for target in targets if target in PAGES}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        new = set[Path]().union(*map(pages_behind, new)) - reached
    assert names(sorted(set(PAGES) - reached - {ROOT / ".github" / TEMPLATE})) == []
