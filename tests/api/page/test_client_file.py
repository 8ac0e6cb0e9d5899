"""The client as one file: what it states, whom it asks, and that it runs by itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest

from api.page.client_file import modules
from api.page.files import CLIENT
from api.version import project_version
from tests.api.fake import client
from tests.api.page.test_routes import WITH_KEYS
from tests.client.serving import TEXT, api, environment, speaking
from tests.server import PROJECT, SECONDS, free_port


def body(**headers: str) -> str:
    """The file, for who asks with these headers."""
    answer = client(settings=WITH_KEYS).get(CLIENT, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/x-python; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    return answer.text


def metadata(text: str) -> dict[str, object]:
    """The inline script metadata, by the regular expression of its specification."""
    pattern = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"
    [block] = re.finditer(pattern, text)
    assert block["type"] == "script"
    lines = block["content"].splitlines(keepends=True)
    return tomllib.loads("".join(line[2:] if line.startswith("# ") else "\n" for line in lines))


def test_it_states_what_the_package_of_the_client_needs() -> None:
    package = tomllib.loads((PROJECT / "client" / "pyproject.toml").read_text(encoding="utf-8"))
    project = package["project"]
    assert metadata(body()) == {
        "requires-python": project["requires-python"],
        "dependencies": project["dependencies"],
    }


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({"host": "whisper.example.org:9000"}, "http://whisper.example.org:9000/v1"),
        ({"host": "[::1]:8000"}, "http://[::1]:8000/v1"),
        (
            {"host": "whisper.example.org", "x-forwarded-proto": "https"},
            "https://whisper.example.org/v1",
        ),
        (
            {"host": "whisper.example.org", "x-forwarded-proto": "https,http"},
            "https://whisper.example.org/v1",
        ),
        (
            {"host": "whisper.example.org", "x-forwarded-proto": "http, https"},
            "http://whisper.example.org/v1",
        ),
        # Of a header that is no host the server's own name is left.
        ({"host": 'a");import os#'}, "http://testserver/v1"),
        ({"host": "a/b"}, "http://testserver/v1"),
    ],
)
def test_its_client_asks_where_it_was_fetched(headers: dict[str, str], url: str) -> None:
    [line] = [each for each in body(**headers).splitlines() if "sys.exit(run(" in each]
    assert line == f'    sys.exit(run(SOURCES, "{url}"))'


def test_it_is_kept_until_it_changes() -> None:
    asked = client()
    first = asked.get(CLIENT)
    again = asked.get(CLIENT, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    elsewhere = asked.get(CLIENT, headers={"host": "other.example.org"})
    assert elsewhere.headers["etag"] != first.headers["etag"]


def test_only_packages_are_in_it(tmp_path: Path) -> None:
    for name in ("__init__.py", "main.py", "files/__init__.py", "files/a.py", ".venv/lib/b.py"):
        (path := tmp_path / "client" / name).parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = modules(tmp_path / "client")
    assert [str(path.relative_to(tmp_path / "client")) for path in found] == [
        *("__init__.py", "main.py", "files/__init__.py", "files/a.py"),
    ]


def ran(file: Path, *arguments: str | Path, **environ: str) -> tuple[int, str]:
    """Exit status and output of the file, with no other module of ours to be found."""
    kept = {name: each for name, each in environment().items() if name != "PYTHONPATH"}
    # Isolated, so that neither its folder nor the working directory is looked in.
    done = subprocess.run(
        [sys.executable, "-I", str(file), *map(str, arguments)],
        cwd=file.parent,
        env=kept | environ,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def test_it_runs_by_itself_and_asks_its_server(tmp_path: Path) -> None:
    (recording := tmp_path / "talk.mp3").write_bytes(b"sound")
    file = tmp_path / "client.py"
    with api(speaking()) as url:
        file.write_text(httpx.get(f"{url}{CLIENT}", timeout=SECONDS).text, encoding="utf-8")
        assert ran(file, "--version") == (0, f"whisper-bento {project_version()}\n")
        assert ran(file, recording) == (0, f"{TEXT}\n")
        # Empty, it names no other server; the next variable would.
        elsewhere = f"http://127.0.0.1:{free_port()}/v1"
        empty = ran(file, recording, WHISPER_URL="", OPENAI_BASE_URL=elsewhere)
        assert empty == (0, f"{TEXT}\n")
        assert ran(file, recording, "-f", "all")[0] == 0
    made = {path.suffix for path in tmp_path.glob("talk.*")}
    assert made == {".mp3", ".txt", ".srt", ".vtt", ".tsv", ".json"}
