"""Servers that have the model, and fail or refuse at each recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from client.backend.errors import NoServiceError
from tests.bulk.doubles import manifest_of, recordings, results, run_of, work_of
from tests.bulk.runners.test_servers import servers

MODEL = '{"id": "whisper-1", "object": "model"}'
MODELS = f'{{"object": "list", "data": [{MODEL}]}}'


@contextmanager
def answering(status: int, body: str) -> Iterator[tuple[str, list[str]]]:
    """A server that answers every recording so: its address, and the paths of recordings."""
    posted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/v1/models"):
                self._answer(200, MODELS if self.path == "/v1/models" else MODEL)
            else:
                self._answer(404, "{}")

        def do_POST(self) -> None:
            posted.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self._answer(status, body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Nothing is logged."""

        def _answer(self, status: int, body: str) -> None:
            # A run that ends does not wait for it.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", posted
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_refuses_ends_the_run_unless_there_is_another(
    tmp_path: Path, status: int
) -> None:
    paths = recordings(tmp_path / "in", ["sound"] * 3)
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"
    with answering(status, "{}") as (url, _), pytest.raises(NoServiceError):
        run_of(work_of(manifest, out), lambda seen: servers(seen, url)).through()
    assert results(out) == []
    with answering(status, "{}") as (url, posted), answering(200, '{"text": "said"}') as (other, _):
        work = work_of(manifest, tmp_path / "both")
        run_of(work, lambda seen: servers(seen, url, other, in_flight=1)).through()
    assert [each["text"] for each in results(tmp_path / "both")] == ["said"] * 3
    assert len(posted) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "{}"),
        (504, "{}"),
        (529, "{}"),
        (200, "<html>Sign in</html>"),
        (200, '{"text": "a", "segments": "b"}'),
    ],
)
def test_what_a_server_fails_at_may_pass(tmp_path: Path, status: int, body: str) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", recordings(tmp_path / "in", ["sound"]))
    with answering(status, body) as (url, posted):
        work = work_of(manifest, tmp_path / "out")
        run_of(work, lambda seen: servers(seen, url)).through()
    (found,) = results(tmp_path / "out")
    assert (found["error"]["code"], found["attempts"], len(posted)) == ("unavailable", 3, 3)
