"""Results grouped by language and kind, and their sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.checkpoints.catalogue import WINDOW_SECONDS
from scripts.quality.answer import Answer, Result
from scripts.shared.accuracy import Errors

# Which answer of a result is meant.
Side = Callable[[Result], Answer | None]


@dataclass(frozen=True)
class Group:
    """Results under one name."""

    name: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def minutes(self) -> float:
        """The length of its clips together."""
        return sum(result.clip.seconds for result in self.results) / 60

    def errors(self, side: Side) -> Errors:
        """The errors of one side in all of its clips."""
        answers = map(side, self.results)
        return sum((answer.errors for answer in answers if answer), Errors())


def ours(result: Result) -> Answer | None:
    """Our side."""
    return result.ours


def unguarded(result: Result) -> Answer | None:
    """Our side without guards."""
    return result.unguarded


def reference(result: Result) -> Answer | None:
    """openai-whisper's side."""
    return result.reference


def exact(result: Result) -> Answer | None:
    """Our side in float32 with full padding."""
    return result.exact


def speech(results: Sequence[Result]) -> list[Result]:
    """The clips in which somebody speaks."""
    return [result for result in results if result.clip.is_speech]


def by_language_and_kind(results: Sequence[Result]) -> list[Group]:
    """A group for each language and kind, in the order of the alphabet."""
    return _grouped(results, lambda result: (result.clip.language, result.clip.kind))


def by_language(results: Sequence[Result]) -> list[Group]:
    """A group for each language, in the order of the alphabet."""
    return _grouped(results, lambda result: (result.clip.language,))


def by_kind(results: Sequence[Result]) -> list[Group]:
    """A group for each kind, in the order of the alphabet."""
    return _grouped(results, lambda result: (result.clip.kind,))


def sums(results: Sequence[Result]) -> list[Group]:
    """The groups that matter, which overlap; those without clips are left out."""
    parts: dict[str, Callable[[Result], bool]] = {
        "all": lambda _: True,
        "English": lambda result: result.clip.language == "en",
        "other languages": lambda result: result.clip.language != "en",
        "over 30 s": lambda result: result.clip.seconds > WINDOW_SECONDS,
        "noisy": _is_noisy,
    }
    groups = [Group((name,), tuple(filter(takes, results))) for name, takes in parts.items()]
    return [group for group in groups if group.results]


def _is_noisy(result: Result) -> bool:
    return "noisy" in result.clip.kind or "noise added" in result.clip.kind


def _grouped(results: Sequence[Result], name: Callable[[Result], tuple[str, ...]]) -> list[Group]:
    found: defaultdict[tuple[str, ...], list[Result]] = defaultdict(list)
    for result in results:
        found[name(result)].append(result)
    return [Group(key, tuple(found[key])) for key in sorted(found)]
