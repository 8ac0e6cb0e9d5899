"""Thresholds of a soak: no failure, every text right, no memory leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from scripts.load_tests.clients import LEFT, Outcome
from scripts.load_tests.soak_phases import SoakPhase
from scripts.load_tests.thresholds import Threshold
from scripts.shared.accuracy import normalised

_MAX_GROWTH = 0.05

Texts = Mapping[Path, str]


def judge(outcomes: Sequence[Outcome], alone: Texts, parts: Sequence[SoakPhase]) -> list[Threshold]:
    """The thresholds of a soak in its phases; `alone` has each text when nothing else was asked.

    What was refused with a time to come again is no failure. Where there is nothing to judge, a
    threshold is missed.
    """
    served = [outcome for outcome in outcomes if outcome.answer.wait is None]
    stayed = [o for o in served if not o.call.is_broken and o.answer.status != LEFT]
    answered = [outcome for outcome in stayed if outcome.answer.is_good]
    wrong = wrong_texts(outcomes, alone)
    _, _, second, last, *_ = parts
    return [
        _all("no 5xx", served, lambda o: not o.answer.status.startswith("5")),
        _all("every recording answered", stayed, lambda o: o.answer.is_good),
        _all(
            "broken audio gets a 400 in OpenAI's envelope",
            [outcome for outcome in served if outcome.call.is_broken],
            lambda o: o.answer.status == "400" and o.answer.has_envelope,
        ),
        _all("every text as when asked alone", answered, lambda o: o not in wrong),
        _memory(second, last),
    ]


def wrong_texts(outcomes: Sequence[Outcome], alone: Texts) -> list[Outcome]:
    """The answers with other words than when asked alone; punctuation does not count."""
    return [
        outcome
        for outcome in outcomes
        if outcome.answer.is_good and not outcome.call.is_broken and not _is_right(outcome, alone)
    ]


def _all(promise: str, outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> Threshold:
    others = Counter(outcome.answer.status for outcome in outcomes if not holds(outcome))
    found = f"{len(outcomes) - others.total()} of {len(outcomes)}"
    if others:
        found += "; " + ", ".join(f"{status} x {count}" for status, count in others.items())
    return Threshold(promise, found, is_met=bool(outcomes) and not others)


def _is_right(outcome: Outcome, alone: Texts) -> bool:
    text, clip = outcome.answer.text, outcome.call.clip
    if outcome.call.response_format == "srt":
        text = " ".join(_spoken(text))
    return normalised(text, clip.language) == normalised(alone[clip.path], clip.language)


def _spoken(srt: str) -> Iterable[str]:
    """Text of a subtitle file's cues, without their numbers and times."""
    for cue in srt.split("\n\n"):
        yield from cue.splitlines()[2:]


def _memory(second: SoakPhase, last: SoakPhase) -> Threshold:
    promise = f"memory of the last third within {_MAX_GROWTH:.0%} of the second's"
    if second.memory is None or last.memory is None:
        return Threshold(promise, "not measured, the soak was too short", is_met=False)
    growth = last.memory / second.memory - 1
    return Threshold(promise, f"{growth:+.1%}", is_met=growth <= _MAX_GROWTH)
