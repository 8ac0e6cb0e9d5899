"""A server that speaks the Hugging Face Hub's protocol of downloads, for tests."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PATH = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/([^/?]+)")
# Files as large as these are stored by their SHA-256 there, smaller ones by git's SHA-1.
_LARGE = 10_000


def commit_of(number: int) -> str:
    """The id of a commit."""
    return hashlib.sha1(str(number).encode()).hexdigest()


@dataclass
class Hub:
    """Repositories, and what was asked; a transfer breaks off after `breaks.pop(0)` bytes."""

    revisions: dict[str, dict[str, str]] = field(default_factory=dict)
    files: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    token: str | None = None
    breaks: list[int] = field(default_factory=list)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    url: str = ""

    def add(self, repo: str, revision: str, files: Mapping[str, bytes]) -> str:
        """A commit with these files, which `revision` is at; returns its id."""
        commit = commit_of(len(self.files))
        self.files[repo, commit] = dict(files)
        self.revisions.setdefault(repo, {}).update({revision: commit, commit: commit})
        return commit

    def downloaded(self) -> list[str]:
        """Names of the files that were sent, in order."""
        return [file for method, file, _ in self.asked if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        match = _PATH.fullmatch(self.path)
        repo, revision, file = match.groups() if match else ("", "", "")
        commit = self.hub.revisions.get(repo, {}).get(revision, "")
        content = self.hub.files.get((repo, commit), {}).get(file)
        if repo not in self.hub.revisions:
            self._refuse(401, "RepoNotFound")
        elif self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self._refuse(401, "GatedRepo")
        elif not commit:
            self._refuse(404, "RevisionNotFound")
        elif content is None:
            self._refuse(404, "EntryNotFound", commit)
        else:
            asked = self.headers.get("Range")
            self.hub.asked.append((self.command, file, asked))
            self._send(content, commit, int(re.findall(r"\d+", asked)[0]) if asked else 0)

    def _send(self, content: bytes, commit: str, start: int) -> None:
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", commit)
        large = len(content) >= _LARGE
        etag = hashlib.sha256(content) if large else hashlib.sha1(content)
        self.send_header("X-Linked-Etag" if large else "ETag", f'"{etag.hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            size = self.hub.breaks.pop(0) if large and self.hub.breaks else len(content)
            self.wfile.write(content[start : start + size])

    def _refuse(self, status: int, code: str, commit: str = "") -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the test's output clean."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub on this machine, without any repositories."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
