"""LocalAgreement over time: what two hypotheses, some time apart, have in common is settled.

After Liu, Spanakis and Niehues (2020), "Low-Latency Sequence-to-Sequence Speech Recognition and
Translation by Partial Hypothesis Selection", with a time between the hypotheses and not their
number: an engine with much to do makes few, one with little many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.live.hypotheses import Hypothesis
from models.live.live_options import Delay
from models.units import SAMPLE_RATE


@dataclass(frozen=True)
class AgreementPolicy:
    """A hypothesis settles what it has in common with one `apart` samples of sound before.

    Hypotheses are asked for every `interval` samples, if the engine has the time.
    """

    apart: int
    interval: int


def policy_of(delay: Delay) -> AgreementPolicy | None:
    """What a delay stands for; None settles nothing before the turn is over."""
    seconds: dict[Delay, tuple[float, float]] = {
        "minimal": (0.5, 0.5),
        "low": (1.0, 0.5),
        "medium": (1.0, 1.0),
        "high": (2.0, 1.0),
    }
    if delay not in seconds:
        return None
    apart, interval = (round(each * SAMPLE_RATE) for each in seconds[delay])
    return AgreementPolicy(apart, interval)


class Agreement:
    """The hypotheses of one turn that later ones are compared with."""

    def __init__(self, policy: AgreementPolicy) -> None:
        self._policy = policy
        self._earlier: list[Hypothesis] = []

    def add(self, newest: Hypothesis) -> int:
        """The number of its tokens that are settled by it."""
        limit = newest.heard - self._policy.apart
        old_enough = [each for each in self._earlier if each.heard <= limit]
        # The rest may be old enough for a hypothesis to come.
        self._earlier = [*old_enough[-1:], *self._earlier[len(old_enough) :], newest]
        return agreed(old_enough[-1], newest) if old_enough else 0

    def cut(self, place: int) -> None:
        """Forget their words before a place of the turn: later ones do not have them."""
        self._earlier = [
            replace(each, words=tuple(word for word in each.words if word.middle >= place))
            for each in self._earlier
        ]

    def clear(self) -> None:
        """Forget them all."""
        self._earlier.clear()


def agreed(older: Hypothesis, newer: Hypothesis) -> int:
    """The place in the newer one's tokens behind the words that both begin with.

    The punctuation behind the last of these is left open while it may still change: a text that
    breaks off seems to be a sentence.
    """
    pairs = zip(older.words, newer.words, strict=False)
    count = 0
    for before, after in pairs:
        if before.key != after.key:
            break
        count += 1
    if not count:
        return 0
    last = newer.words[count - 1]
    is_inside = count < len(newer.words) and older.words[count - 1].text == last.text
    return last.after if is_inside else last.stem
