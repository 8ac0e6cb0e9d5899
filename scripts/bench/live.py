"""Live benchmark: speakers in real time; how late words and final texts come, and how right."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, get_args

from models.audio.load.load_audio import load
from models.live.live_options import Delay
from models.options import TranscribeOptions
from models.text.transcript import Transcript, Word
from models.transcription.transcriber import Transcriber
from scripts.bench.live_speakers import LiveConfig, Spoken, here, over, speak
from scripts.bench.ours import Ours
from scripts.shared.accuracy import normalised, word_error_rate
from scripts.shared.command_line import (
    Parser,
    add_machine,
    add_precision,
    add_report,
    chosen,
    positive,
    run,
)
from scripts.shared.corpus import add_choice, choice_of, choose
from scripts.shared.host import describe_host
from scripts.shared.manifest import Clip
from scripts.shared.report import number, percentile, table
from scripts.shared.run_config import RunConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit status: 0, 1 for an error, 130 when interrupted."""
    return run(_parser(), _measure, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m scripts.bench.live", description=__doc__)
    parser.add_argument("--url", help="a server's; without one, sessions of this process")
    parser.add_argument("--api-key", metavar="KEY")
    parser.add_argument("--model", default="base", help="from the store (default: base)")
    parser.add_argument(
        "--speakers", type=positive, default=1, metavar="N", help="at once (default: 1)"
    )
    parser.add_argument(
        "--delay", choices=get_args(Delay), default="medium", help="default: medium"
    )
    parser.add_argument(
        "--silence-ms", type=positive, default=200, metavar="MS", help="that end a turn"
    )
    add_machine(parser)
    add_precision(parser)
    add_report(parser, "live.json")
    add_choice(parser)
    return parser


class OneModel:
    """The only model, which is loaded."""

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Transcriber]:
        """It, whatever it is called."""
        yield self._transcriber


def _measure(options: argparse.Namespace) -> dict[str, object]:
    clips = [clip for clip in choose(choice_of(options)) if clip.is_speech]
    setup = RunConfig(
        model=options.model, threads=options.threads, device=options.device, dtype=options.dtype
    )
    ours = Ours(setup)
    try:
        files = {clip.path: asyncio.run(_file(ours.transcriber, clip)) for clip in clips}
        spoken, seconds = _speak(options, ours.transcriber, clips)
    finally:
        ours.close()
    summary = _summary(spoken, files) | {"cpu_seconds": None if options.url else seconds}
    print(describe_host(), file=sys.stderr)
    print(table([[name, number(value, 2)] for name, value in summary.items()]))
    texts = [
        {"clip": str(each.clip.path), "file": files[each.clip.path].text, "live": each.text}
        for each in spoken
    ]
    return {"hardware": describe_host(), "options": chosen(options), **summary, "clips": texts}


def _speak(
    options: argparse.Namespace, transcriber: Transcriber, clips: Sequence[Clip]
) -> tuple[list[Spoken], float]:
    """What each speaker's clips came to, and this process's CPU seconds."""
    config = LiveConfig(options.model, options.language, options.delay, options.silence_ms)
    connect = (
        over(options.url, options.api_key, config)
        if options.url
        else here(OneModel(transcriber), config)
    )
    # Each begins with another clip, so that they do not pause together.
    rounds = [[*clips[n % len(clips) :], *clips[: n % len(clips)]] for n in range(options.speakers)]

    async def together() -> list[list[Spoken]]:
        return list(await asyncio.gather(*(speak(connect, each) for each in rounds)))

    began = time.process_time()
    spoken = [each for some in asyncio.run(together()) for each in some]
    return spoken, time.process_time() - began


async def _file(transcriber: Transcriber, clip: Clip) -> Transcript:
    """The clip as a file, with the times of its words."""
    options = TranscribeOptions(language=clip.language, word_timestamps=True)
    return await transcriber.transcribe_samples(load(clip.path), options)


def _summary(spoken: Sequence[Spoken], files: dict[Path, Transcript]) -> dict[str, Any]:
    latencies: list[float] = []
    finals: list[float] = []
    early = 0
    for each in spoken:
        words = [word for s in files[each.clip.path].segments for word in s.words]
        if not words:
            continue
        found = list(_latencies(each, words))
        latencies += [late for late, _ in found]
        early += sum(is_early for _, is_early in found)
        if each.completed:
            finals.append(each.completed[-1] - words[-1].end)
    clips = [each.clip for each in spoken]
    return {
        "words settled": len(latencies),
        "word latency p50": percentile(latencies, 50),
        "word latency p90": percentile(latencies, 90),
        "before the turn's end, %": 100 * early / len(latencies) if latencies else None,
        "final p50": percentile(finals, 50),
        "final p95": percentile(finals, 95),
        "clips without text": sum(not each.completed for each in spoken),
        "sending late, s": max(each.sent_late for each in spoken),
        "WER live": word_error_rate(clips, [each.text for each in spoken]),
        "WER file": word_error_rate(clips, [files[clip.path].text for clip in clips]),
    }


def _latencies(spoken: Spoken, words: Sequence[Word]) -> list[tuple[float, bool]]:
    """For the words that both have: how late the live one came, and if before its turn's end."""
    language = spoken.clip.language
    live = [
        (word, when)
        for when, text in _whole_words(spoken.texts)
        for word in normalised(text, language).split()
    ]
    file = [(w, word.end) for word in words for w in normalised(word.text, language).split()]
    matcher = SequenceMatcher(None, [w for w, _ in live], [w for w, _ in file], autojunk=False)
    return [
        (live[a + n][1] - file[b + n][1], not spoken.is_at_an_end(live[a + n][1]))
        for a, b, size in matcher.get_matching_blocks()
        for n in range(size)
    ]


def _whole_words(texts: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """The words of deltas, each at the time of its last letter."""
    words: list[tuple[float, str]] = []
    for when, text in texts:
        for place, part in enumerate(text.split(" ")):
            if place or not words:
                words.append((when, part))
            elif part:
                words[-1] = when, words[-1][1] + part
    return [(when, word) for when, word in words if word]


if __name__ == "__main__":
    sys.exit(main())
