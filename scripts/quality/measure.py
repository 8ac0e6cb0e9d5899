"""Measurement of both sides over the same clips."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace

from scripts.bench.ours import Ours
from scripts.quality.answer import Answer, Result
from scripts.quality.ours import transcribe, transcribe_in_known_language, transcribe_unguarded
from scripts.quality.reference import transcribe_with_reference
from scripts.shared.errors import BenchError
from scripts.shared.host import describe_host
from scripts.shared.manifest import Clip
from scripts.shared.run_config import RunConfig


@dataclass(frozen=True)
class Measured:
    """The results, and how ours ran: its setup, its number format and slots."""

    results: list[Result]
    setup: RunConfig
    description: str

    def report(self) -> dict[str, object]:
        """All of it, and the machine, for a report in JSON."""
        return {
            "hardware": describe_host(),
            "setup": asdict(self.setup),
            "ours": self.description,
            "clips": [result.to_json() for result in self.results],
        }


def measure(
    clips: Sequence[Clip], setup: RunConfig, *, with_reference: bool, with_float32: bool = False
) -> Measured:
    """Answers of ours to each clip and, if asked for, of openai-whisper and of ours in float32.

    Raises:
        BenchError: the model is not in the store, or does not know a clip's language.
        WhisperError: a clip cannot be read or the engine has failed.
    """
    with closing(Ours(setup)) as ours:
        if not ours.engine.vocabulary.dims.is_multilingual:
            _check_english(clips, setup.model)
        answers = transcribe(ours, clips)
        speech = [clip for clip in clips if clip.is_speech]
        unguarded = dict(zip(speech, transcribe_unguarded(ours, speech), strict=True))
    reference: dict[Clip, Answer] = {}
    if with_reference:
        reference = dict(zip(clips, transcribe_with_reference(clips, setup), strict=True))
    exact = _transcribe_in_float32(speech, setup) if with_float32 else {}
    results = [
        Result(clip, answer, unguarded.get(clip), reference.get(clip), exact.get(clip))
        for clip, answer in zip(clips, answers, strict=True)
    ]
    return Measured(results, setup, ours.description)


def _transcribe_in_float32(speech: Sequence[Clip], setup: RunConfig) -> dict[Clip, Answer]:
    # On a CPU this is full padding, too: see `EngineConfig`.
    with closing(Ours(replace(setup, dtype="float32"))) as ours:
        return dict(
            zip(speech, transcribe_in_known_language(ours, speech, "ours in float32"), strict=True)
        )


def _check_english(clips: Sequence[Clip], model: str) -> None:
    for clip in clips:
        if clip.language not in ("en", "none"):
            raise BenchError(
                f"{model} knows English only, and {clip.path.name} is {clip.language}: "
                "choose --languages en,none"
            )
