"""Tests of what the pages are made of: nothing from elsewhere, and nothing that is not listed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from api.page.files import FOLDER, VIEWER, page_files

STATIC = FOLDER / "static"
# The name of SVG's XML namespace, which nobody fetches.
NAMESPACE = "http://www.w3.org/2000/svg"


def ours() -> list[Path]:
    return sorted(path for path in STATIC.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", ours(), ids=lambda path: path.name)
def test_file_of_ours_names_no_other_server(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")

    assert re.findall(r"(?:\w+:)?//[\w\[]\S*", text) == []


@pytest.mark.parametrize("path", ours(), ids=lambda path: path.name)
def test_file_of_ours_needs_no_exception_from_the_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", text) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text) == []


def test_style_sheet_of_the_viewer_fetches_nothing() -> None:
    text = (FOLDER / VIEWER / "swagger-ui.css").read_text(encoding="utf-8")
    fetched = re.findall(r"url\(\s*[\"']?(\w+:)?", text)

    assert set(fetched) == {"data:"}
    assert "@import" not in text


def test_every_file_of_ours_is_served() -> None:
    bodies = [file.body for file in page_files().values()]

    assert [path.name for path in ours() if path.read_bytes() not in bodies] == []


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/docs", "text/html; charset=utf-8"),
        (".js", "text/javascript; charset=utf-8"),
        (".css", "text/css; charset=utf-8"),
        (".svg", "image/svg+xml"),
        (".ico", "image/svg+xml"),
    ],
)
def test_types(ending: str, media_type: str) -> None:
    types = {file.media_type for path, file in page_files().items() if path.endswith(ending)}

    assert types == {media_type}


def test_viewer_is_what_its_checksums_say() -> None:
    lines = (FOLDER / VIEWER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    stated = {name: digest for digest, name in (line.split() for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (FOLDER / VIEWER).iterdir()
        if path.name != "SHA256SUMS"
    }

    assert found == stated
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} < set(found)


def test_etags_tell_the_files_apart() -> None:
    files = page_files()
    etags = {file.etag: file.body for file in files.values()}

    assert all(etags[file.etag] == file.body for file in files.values())
    assert len(etags) == len({file.body for file in files.values()})
