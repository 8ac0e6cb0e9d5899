"""Live sessions in a crowd: hundreds in turn, more than can be served, and files among them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle, islice, zip_longest
from pathlib import Path

import pytest

from models.audio.load.load_audio import load
from scripts.load_tests.live_clients import Heard, LiveSetup, live, pieces
from scripts.load_tests.live_speakers import burst, speakers
from scripts.shared import http_load
from scripts.shared.accuracy import normalised
from scripts.shared.corpus import Choice, choose, joined_until
from scripts.shared.http_load import Load, connected
from scripts.shared.manifest import Clip
from tests.operation.homes import own_home
from tests.operation.processes import eventually, mistreated
from tests.operation.test_realtime import sessions
from tests.server import Server

# Different people who say different things.
CLIPS = choose(Choice(kind="read", longer_than=2.5, shorter_than=3.5))
CROWD = 200
DELAYS = ("medium", "xhigh")
# Seconds that anything may take on any machine.
LONGEST = 900.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with room for all."""
    home = Path(own_home(tmp_path_factory.mktemp("crowd")))
    (home / "temporary").mkdir(exist_ok=True)
    with mistreated(home, WHISPER_REALTIME_SESSIONS="500") as running:
        yield running


def asked(server: Server) -> http_load.Server:
    return http_load.Server(server.url, "tiny.en", timeout=LONGEST)


def words(text: str) -> set[str]:
    return set(normalised(text, "en").split())


def seconds(clip: Clip) -> list[bytes]:
    """A clip's sound."""
    tenths = pieces(load(clip.path))
    return [b"".join(tenths[start : start + 10]) for start in range(0, len(tenths), 10)]


async def in_turn(server: Server, clips: list[Clip]) -> list[Heard]:
    """What sessions are told, one a clip, that are open at once and speak in turn, by seconds."""
    sounds = [seconds(clip) for clip in clips]
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(live(asked(server), LiveSetup(delay=delay)))
            for _, delay in zip(clips, cycle(DELAYS), strict=False)
        ]
        for said in zip_longest(*sounds, fillvalue=b""):
            for client, piece in zip(clients, said, strict=True):
                await client.speak([piece], speed=1000)
        for client in clients:
            await client.commit()
        await asyncio.gather(*[client.completed(1, LONGEST) for client in clients])
        assert sessions(server) == len(clips)
    return [client.heard for client in clients]


def test_none_of_two_hundred_sessions_is_told_what_another_said(server: Server) -> None:
    spoken = list(islice(cycle(CLIPS), CROWD))
    alone = [asyncio.run(in_turn(server, [clip]))[0].text for clip in CLIPS]
    counts = Counter(word for text in alone for word in words(text))
    marks = [{word for word in words(text) if counts[word] == 1} for text in alone]
    together = asyncio.run(in_turn(server, spoken))

    assert all(len(marked) >= 3 for marked in marks)
    everywhere = set().union(*marks)
    for heard, marked in zip(together, cycle(marks), strict=False):
        assert (heard.failures, len(heard.transcripts)) == ([], 1)
        found = words(heard.text) & everywhere
        assert found <= marked
        assert len(found) >= len(marked) - 1
    assert eventually(lambda: sessions(server) == 0)


def test_more_speakers_than_can_be_served_are_all_told_and_so_are_files(server: Server) -> None:
    async def crowd() -> None:
        async with connected(asked(server)) as client, asyncio.TaskGroup() as group:
            load = Load(client, "tiny.en")
            talking = group.create_task(speakers(asked(server), CLIPS, 16, 10))
            asking = group.create_task(load.closed_loop(cycle(CLIPS), 2))
            told = await talking
            asking.cancel()
        assert told.failures == []
        assert len(told.said) >= 16
        assert len(load.answers) >= 2
        assert {answer.status for answer in load.answers} == {"200"}

    asyncio.run(crowd())


def test_a_burst_beside_a_speaker_leaves_both_their_text(server: Server, tmp_path: Path) -> None:
    pushed = joined_until(CLIPS, 60, tmp_path / "pushed.wav")

    async def both() -> None:
        told, bursted = await asyncio.gather(
            speakers(asked(server), CLIPS[:2], 1, 8), burst(asked(server), pushed)
        )
        assert (told.failures, bursted.failures) == ([], [])
        [whole] = bursted.said
        for clip in CLIPS:
            marked = words(clip.text or "")
            assert len(words(whole.text) & marked) > len(marked) / 2
        for said in told.said:
            assert len(words(said.text) & words(said.clip.text or "")) > 3

    asyncio.run(both())
