"""Servers as an engine: the real API over a transcriber without a model, and one that goes away."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bulk.engine import RowFile, Transcribed
from bulk.run import Seen
from bulk.runners.server_engine import ServerEngine
from bulk.runners.servers import Servers
from client.backend.errors import NoServiceError, UsageError
from client.backend.request import Request
from client.remote.address import base_url
from client.remote.server import Server
from tests.bulk.doubles import by_content, manifest_of, recordings, results, run_of, work_of
from tests.client.serving import BROKEN, TEXT, api, speaking
from tests.server import PROJECT, SECONDS

# A server in a process of its own; recordings are answered after a moment. It prints its address.
PROGRAM = """
import asyncio, sys, time
from dataclasses import dataclass
from tests.client import serving
from tests.server import listening

@dataclass
class Slow(serving.Speaking):
    async def transcribe(self, audio, options, on_segment=None, stats=None):
        await asyncio.sleep(0.05)
        return await super().transcribe(audio, options, on_segment, stats)

with serving.api(Slow(serving.SPOKEN)) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def served() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def servers(seen: Seen, *urls: str, in_flight: int = 4, patience: float = SECONDS) -> Servers:
    engines = [ServerEngine(Server(base_url(url), retries=0), in_flight, seen.tell) for url in urls]
    return Servers(engines, in_flight, seen.tell, patience)


def nowhere() -> str:
    """An address at which nobody listens."""
    return "http://127.0.0.1:9"


def test_texts_are_the_servers_and_bad_files_are_rows(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["sound"] * 9 + [BROKEN.decode()])
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"
    with api(speaking(busy=2)) as url:
        run = run_of(work_of(manifest, out), lambda seen: servers(seen, url))
        run.through()
    found = by_content(out)
    assert {found[path.name]["text"] for path in paths[:9]} == {TEXT}
    assert found["00009.wav"]["error"] == {
        "code": "audio_error",
        "message": "The file is not audio of a known format.",
    }
    assert found["00000.wav"]["segments"][0]["end"] == 2.0
    assert run.tally.failed == 1


def test_a_server_that_is_killed_leaves_its_rows_to_the_other(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["sound"] * 60)
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"
    with served() as (process, first), served() as (_, second):

        class Killing(Servers):
            ended = 0

            async def transcribe(self, row_file: RowFile) -> Transcribed:
                done = await super().transcribe(row_file)
                type(self).ended += 1
                if self.ended == 15:
                    process.send_signal(signal.SIGKILL)
                return done

        def made(seen: Seen) -> Servers:
            engines = [
                ServerEngine(Server(base_url(url), retries=0), 4, seen.tell)
                for url in (first, second)
            ]
            return Killing(engines, 4, seen.tell, SECONDS)

        run = run_of(work_of(manifest, out), made)
        run.through()
    assert (run.tally.ended, run.tally.failed) == (60, 0)
    assert {each["text"] for each in by_content(out).values()} == {TEXT}


def test_one_server_that_is_not_there_is_done_without(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", recordings(tmp_path / "in", ["sound"] * 3))
    with api(speaking()) as url:
        run = run_of(
            work_of(manifest, tmp_path / "out"), lambda seen: servers(seen, nowhere(), url)
        )
        run.through()
    assert (run.tally.ended, run.tally.failed) == (3, 0)


def test_no_server_at_all_does_nothing(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "m.jsonl", recordings(tmp_path / "in", ["sound"]))
    for urls in ([nowhere()], [nowhere(), nowhere()]):
        with pytest.raises(NoServiceError):
            run_of(
                work_of(manifest, tmp_path / "out"),
                lambda seen: servers(seen, *urls),  # noqa: B023
            ).through()
    assert results(tmp_path / "out") == []


def test_servers_of_different_models_are_refused(tmp_path: Path) -> None:
    async def main() -> None:
        class Other(ServerEngine):
            async def _model_tag(self, model: str) -> str:
                return "other"

        with api(speaking()) as url:
            server = Server(base_url(url), retries=0)
            engines = [ServerEngine(server, 4, print), Other(server, 4, print)]
            pair = Servers(engines, 4, print)
            try:
                await pair.start(Request())
            finally:
                await pair.close()

    with pytest.raises(UsageError, match="different models"):
        asyncio.run(main())


def test_when_the_last_server_goes_the_run_ends_and_rows_are_left(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", ["sound"] * 40)
    manifest, out = manifest_of(tmp_path / "m.jsonl", paths), tmp_path / "out"
    with served() as (process, url):

        class Killing(Servers):
            ended = 0

            async def transcribe(self, row_file: RowFile) -> Transcribed:
                done = await super().transcribe(row_file)
                type(self).ended += 1
                if self.ended == 5:
                    process.send_signal(signal.SIGKILL)
                    process.wait(SECONDS)
                return done

        def made(seen: Seen) -> Servers:
            engine = ServerEngine(Server(base_url(url), retries=0), 4, seen.tell)
            return Killing([engine], 4, seen.tell, 0.5)

        run = run_of(work_of(manifest, out), made)
        with pytest.raises(NoServiceError, match="no server has been there"):
            run.through()
    assert {each["status"] for each in results(out)} == {"ok"}
    assert 5 <= len(results(out)) < 40


def test_model_is_told_by_its_own_name() -> None:
    async def tag() -> str:
        with api(speaking()) as url:
            engine = ServerEngine(Server(base_url(url), retries=0), 4, print)
            try:
                return (await engine.start(Request())).model_tag
            finally:
                await engine.close()

    async def told() -> str:
        with api(speaking()) as url:
            async with httpx.AsyncClient() as client:
                health = (await client.get(f"{url.removesuffix('/v1')}/health")).json()
                return str(json.loads(json.dumps(health))["default_model"])

    assert asyncio.run(tag()) == asyncio.run(told())
