"""Language vote: the language of a recording, by the probabilities in its first windows.

event loop                              | engine's thread
----------------------------------------+----------------------------------------
choice() -> _vote or _own_if_sure       |
Engine.submit(window) ------------------+-> encodes the window, finds its probs
                                        |   Window.choose_language(probs):
_count(probs) <-- call_soon_threadsafe -+-- _vote: the window's most probable one;
the last vote sets `settled`            |   _own_if_sure: that, or the settled one
await result <-- the window's future ---+-- decodes the window in that language
await settled                           |
other language, and not sure of it:     |
submit(window, language=settled) -------+-> decodes it once more, in this one
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

# Windows that vote before the language of a long recording is settled.
WINDOWS = 4
# As sure must a window be of another language than the rest. None of the labelled clips that were
# as sure as this was wrong, from 0.6 on.
_SURE = 0.7

ChooseLanguage = Callable[[Mapping[str, float]], str]


def most_probable(probs: Mapping[str, float], among: Sequence[str] = ()) -> str:
    """The most probable language; only `among` these, if any are given."""
    return max(among or probs, key=lambda code: probs[code])


def mean_probabilities(
    windows: Sequence[Mapping[str, float]], among: Sequence[str] = ()
) -> dict[str, float]:
    """The mean over windows, one at least, the most probable language first.

    If some languages are given, `among` these, which then make 1 together.
    """
    # Rounded: sums of the same numbers in another order may differ in the last bit.
    sums = {code: round(sum(each[code] for each in windows), 9) for code in among or windows[0]}
    total = sum(sums.values()) or 1.0
    ranked = sorted(sums, key=sums.__getitem__, reverse=True)
    return {code: sums[code] / total for code in ranked}


class LanguageVote:
    """The language of one recording: the one `given`, or by the mean over its first windows.

    The first windows choose for themselves; later ones take the recording's language, unless they
    are sure of another.
    """

    def __init__(self, given: str | None, among: Sequence[str], windows: int = WINDOWS) -> None:
        self._given, self._among, self._windows = given, among, windows
        self._loop = asyncio.get_running_loop()
        self._votes: list[Mapping[str, float]] = []
        self.settled: asyncio.Future[str] = self._loop.create_future()
        if given:
            self.settled.set_result(given)

    @property
    def language(self) -> str | None:
        """The recording's language, once it is settled."""
        return self.settled.result() if self.settled.done() else None

    @property
    def windows(self) -> int | None:
        """The number of windows that vote before it is settled; None: it is."""
        return None if self.settled.done() else self._windows

    def choice(self, *, is_short: bool) -> str | ChooseLanguage:
        """The language of the next window, or how to choose it; one that `is_short` has no say."""
        if self.language is None:
            return self._vote
        return self.language if self._given or is_short else self._own_if_sure

    def limit_windows(self, windows: int) -> None:
        """There are no more windows than these."""
        self._windows = min(self._windows, windows)
        self._settle()

    def is_sure(self, probs: Mapping[str, float], language: str) -> bool:
        """True if a window in another language than the recording's is to be believed."""
        total = sum(probs[code] for code in self._among) if self._among else 1.0
        return probs[language] >= _SURE * total

    # In the engine's thread: these two.

    def _vote(self, probs: Mapping[str, float]) -> str:
        self._loop.call_soon_threadsafe(self._count, probs)
        return most_probable(probs, self._among)

    def _own_if_sure(self, probs: Mapping[str, float]) -> str:
        likeliest = most_probable(probs, self._among)
        return likeliest if self.is_sure(probs, likeliest) else self.settled.result()

    def _count(self, probs: Mapping[str, float]) -> None:
        self._votes.append(probs)
        self._settle()

    def _settle(self) -> None:
        if self.settled.done() or len(self._votes) < max(1, self._windows):
            return
        self.settled.set_result(next(iter(mean_probabilities(self._votes, self._among))))
