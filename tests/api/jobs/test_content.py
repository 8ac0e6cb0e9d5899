"""Results of jobs: byte for byte what the synchronous answer is, in any format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.text.transcript import Segment, TokenScore, Word
from tests.api.fake import SEGMENTS, TRANSCRIPTIONS, TRANSLATIONS, FakeTranscriber, client
from tests.api.jobs.serving import FILES, job_server, run
from tests.wire.promises import promises


def scored(segment: Segment) -> Segment:
    """With words, tokens and a flag."""
    middle = (segment.start + segment.end) / 2
    head, tail = segment.text[:4], segment.text[4:]
    return replace(
        segment,
        scores=(TokenScore(head.encode(), -0.25), TokenScore(tail.encode(), -1 / 3)),
        words=(Word(head, segment.start, middle, 0.5), Word(tail, middle, segment.end, 1 / 3)),
        language="de",
        flags=("low_logprob",),
    )


FAKE = FakeTranscriber(tuple(map(scored, SEGMENTS)))
PLAIN = (
    {"response_format": "json"},
    {"response_format": "json", "include[]": "logprobs"},
    {"response_format": "text"},
    {"response_format": "verbose_json"},
    {"response_format": "srt"},
    {"response_format": "vtt"},
)
WORDS = {"response_format": "verbose_json", "timestamp_granularities[]": "word"}


@promises(
    "Background jobs",
    "`GET .../{id}/content` is the answer that a request without `background` has, byte for byte, "
    "in every format, and as often as it is asked for",
    "extension",
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_content_in_every_format(tmp_path: Path, path: str) -> None:
    formats = [each for each in PLAIN if path == TRANSCRIPTIONS or "include[]" not in each]

    async def scenario() -> None:
        async with job_server(tmp_path, FAKE) as server:
            job_id = await server.make(path=path)
            await server.ended(job_id)
            for fields in (*formats, {}):
                data = {"model": "base", **fields}
                expected = client(FAKE).post(path, data=data, files=FILES)
                for _ in range(2):
                    answer = await server.content(job_id, **fields)
                    assert answer.status_code == 200
                    assert answer.content == expected.content
                    for name in ("content-type", "content-length", "x-whisper-flags"):
                        assert answer.headers[name] == expected.headers[name]

    run(scenario())


@pytest.mark.parametrize(
    "fields",
    [
        WORDS,
        {**WORDS, "include[]": "word_probability"},
        {"response_format": "srt", "max_line_width": "12"},
        {"response_format": "vtt", "max_words_per_line": "1"},
        {"response_format": "text"},
    ],
)
def test_content_without_a_query_is_as_the_job_was_made(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    expected = client(FAKE).post(TRANSCRIPTIONS, data={"model": "base", **fields}, files=FILES)

    async def scenario() -> None:
        async with job_server(tmp_path, FAKE) as server:
            job_id = await server.make(fields)
            await server.ended(job_id)
            assert (await server.content(job_id)).content == expected.content
            # The query alone counts, and so may have what fits another format.
            text = await server.content(job_id, response_format="text")
            assert (
                text.text
                == client(FAKE)
                .post(
                    TRANSCRIPTIONS, data={"model": "base", "response_format": "text"}, files=FILES
                )
                .text
            )

    run(scenario())


@promises(
    "Background jobs",
    "Words, and subtitles with limits, need a job that was made with them; else they are a 400",
    "extension",
)
@pytest.mark.parametrize(
    ("made", "asked", "param"),
    [
        ({}, WORDS, "timestamp_granularities"),
        ({}, {"response_format": "srt", "max_line_width": "20"}, "max_line_width"),
        (WORDS, {"response_format": "srt", "max_line_width": "20"}, "max_line_width"),
        ({"response_format": "srt", "max_line_width": "20"}, WORDS, "timestamp_granularities"),
    ],
)
def test_content_needs_words_that_were_timed_for_it(
    tmp_path: Path, made: dict[str, str], asked: dict[str, str], param: str
) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, FAKE) as server:
            job_id = await server.make(made)
            await server.ended(job_id)
            answer = await server.content(job_id, **asked)
            assert answer.status_code == 400
            error = answer.json()["error"]
            assert (error["param"], error["code"]) == (param, "unsupported_value")

    run(scenario())


@pytest.mark.parametrize(
    "query",
    [
        {"response_format": "mp3"},
        {"timestamp_granularities[]": "word"},
        {"include[]": "word_probability"},
        {"response_format": "srt", "max_line_width": "0"},
    ],
)
def test_content_of_a_query_that_cannot_be_served(tmp_path: Path, query: dict[str, str]) -> None:
    expected = client(FAKE).post(TRANSCRIPTIONS, data={"model": "base", **query}, files=FILES)
    assert expected.status_code == 400

    async def scenario() -> None:
        async with job_server(tmp_path, FAKE) as server:
            job_id = await server.make()
            await server.ended(job_id)
            answer = await server.content(job_id, **query)
            assert (answer.status_code, answer.json()) == (400, expected.json())

    run(scenario())


def test_content_of_a_result_that_is_gone_is_an_error_of_the_server(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with job_server(tmp_path, FAKE) as server:
            job_id = await server.make()
            await server.ended(job_id)
            (tmp_path / "results" / f"{job_id}.json.gz").unlink()
            answer = await server.content(job_id)
            assert answer.status_code == 503

    run(scenario())
