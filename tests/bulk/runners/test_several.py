"""Several engines as one, turns at an engine, and the messages between its processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bulk.engine import RowFile
from bulk.runners.messages import file_message, file_of, message_bytes, read_message
from bulk.runners.several import Several
from bulk.runners.turns import Turns
from client.backend.errors import UsageError
from client.backend.request import Request
from tests.bulk.doubles import FakeEngine, by_content, manifest_of, recordings, run_of, work_of


def test_rows_go_to_the_engine_with_the_fewest_for_its_size(tmp_path: Path) -> None:
    paths = recordings(tmp_path / "in", [str(n) for n in range(90)])
    manifest = manifest_of(tmp_path / "m.jsonl", paths)
    small, large = FakeEngine(in_flight=2), FakeEngine(in_flight=4)
    run_of(work_of(manifest, tmp_path / "out"), Several([small, large])).through()
    assert len(by_content(tmp_path / "out")) == 90
    assert (small.most, large.most) == (2, 4)
    assert small.calls.total() + large.calls.total() == 90
    assert 15 < small.calls.total() < 45


def test_engines_of_different_models_are_refused() -> None:
    engines = Several([FakeEngine("a:1"), FakeEngine("b:1")])
    with pytest.raises(UsageError, match="a:1, b:1"):
        asyncio.run(engines.start(Request()))


def test_one_alone_waits_for_the_others_and_they_for_it() -> None:
    said: list[str] = []

    async def main() -> None:
        turns = Turns()

        async def share(name: str) -> None:
            async with turns.shared():
                said.append(f"{name} in")
                await asyncio.sleep(0)
                said.append(f"{name} out")

        async def be_alone(name: str) -> None:
            async with turns.alone():
                await share_nothing(name)

        async def share_nothing(name: str) -> None:
            said.append(f"{name} in")
            for _ in range(5):
                await asyncio.sleep(0)
            said.append(f"{name} out")

        await asyncio.gather(
            share("a"), share("b"), be_alone("first"), be_alone("second"), share("c")
        )

    asyncio.run(main())
    assert said == [
        *("a in", "b in", "a out", "b out"),
        *("first in", "first out", "second in", "second out"),
        *("c in", "c out"),
    ]


def test_a_caller_that_is_cancelled_leaves_its_turn() -> None:
    async def main() -> None:
        turns = Turns()
        async with turns.shared():
            waiting = asyncio.create_task(turns.alone().__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            # Nobody wants to be alone any more.
            async with turns.shared():
                pass
        async with turns.alone():
            pass

    asyncio.run(main())


def test_a_job_is_the_same_on_the_other_side() -> None:
    request = Request(
        task="translate",
        fields=(("keywords[]", "Ada"), ("keywords[]", "中")),
        formats=("srt", "vtt"),
        has_words=True,
        layout=(("max_line_width", 42), ("highlight_words", 1)),
    )
    row_file = RowFile("id", Path("/a\udcff\n.wav"), "s3://a", request)

    async def there() -> object:
        reader = asyncio.StreamReader()
        reader.feed_data(message_bytes(file_message(7, row_file)) * 2)
        reader.feed_eof()
        first, second = await read_message(reader), await read_message(reader)
        assert first == second
        assert await read_message(reader) is None
        return first

    message = asyncio.run(there())
    assert isinstance(message, dict)
    assert (message["number"], file_of(message)) == (7, row_file)
