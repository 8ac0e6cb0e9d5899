"""A competitor in a process of its own: loads its model, then transcribes on command.

`python -m scripts.bench.competitor NAME SETUP`, spoken to over stdin and stdout in JSON lines.
It says `ready` once, then answers each line that lists recordings with what they took; it ends
with its input. Between two lines it does nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TextIO

from api.settings import prepare_environment
from models.errors import WhisperError
from scripts.shared import host
from scripts.shared.errors import BenchError
from scripts.shared.run_config import Recording, RunConfig

_EXTRA = "scripts/setup bench"


class Competitor(Protocol):
    """A loaded model; `description` is its number format and batch."""

    description: str
    device: str

    def transcribe(self, recordings: Sequence[Recording]) -> list[str]:
        """The text of each recording."""
        ...


def _ours(setup: RunConfig) -> Competitor:
    prepare_environment()
    from scripts.bench.ours import Ours

    return Ours(setup)


def _faster_whisper(setup: RunConfig) -> Competitor:
    from scripts.bench.peers import FasterWhisper

    return FasterWhisper(setup)


def _faster_whisper_batched(setup: RunConfig) -> Competitor:
    from scripts.bench.peers import FasterWhisperBatched

    return FasterWhisperBatched(setup)


def _openai_whisper(setup: RunConfig) -> Competitor:
    from scripts.bench.peers import OpenAIWhisper

    return OpenAIWhisper(setup)


def _whisper_cpp(setup: RunConfig) -> Competitor:
    from scripts.bench.peers import WhisperCpp

    return WhisperCpp(setup)


COMPETITORS: dict[str, Callable[[RunConfig], Competitor]] = {
    "ours": _ours,
    "faster-whisper": _faster_whisper,
    "faster-whisper-batched": _faster_whisper_batched,
    "openai-whisper": _openai_whisper,
    "whisper.cpp": _whisper_cpp,
}


def main(arguments: Sequence[str]) -> int:
    """Run one competitor until its input ends; the exit status."""
    name, setup = arguments[0], RunConfig.from_json(arguments[1])
    answers = _own_stdout()
    try:
        begin = time.perf_counter()
        competitor = COMPETITORS[name](setup)
        _say(answers, _ready(competitor, time.perf_counter() - begin))
        for line in sys.stdin:
            recordings = [Recording(**entry) for entry in json.loads(line)]
            _say(answers, _transcribed(competitor, recordings))
    except ImportError as error:
        _say(answers, {"error": f"{name} is not installed ({error.name}): {_EXTRA}"})
        return 1
    except (WhisperError, BenchError) as error:
        _say(answers, {"error": f"{name}: {error}"})
        return 1
    return 0


def _own_stdout() -> TextIO:
    """The pipe to the benchmark, where what libraries print does not get in: that is stderr's."""
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return pipe


def _ready(competitor: Competitor, seconds: float) -> dict[str, object]:
    ready = {
        "load_seconds": seconds,
        "load_peak_memory": host.peak_memory(),
        "description": competitor.description,
        "device": competitor.device,
    }
    host.reset_peak_memory()
    return ready


def _transcribed(competitor: Competitor, recordings: list[Recording]) -> dict[str, object]:
    cpu, begin = host.cpu_seconds(), time.perf_counter()
    texts = competitor.transcribe(recordings)
    return {
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": host.cpu_seconds() - cpu,
        "peak_memory": host.peak_memory(),
        "texts": texts,
    }


def _say(answers: TextIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
