"""Text of a turn that is being heard: what is settled, and what is open behind it."""

from __future__ import annotations

import codecs
from itertools import pairwise

from models.engine.decoding.sequence import Prefix
from models.live.agreement import Agreement, AgreementPolicy
from models.live.hypotheses import HeardWord, Hypothesis
from models.text.transcript import TokenScore
from models.text.words import CLOSING

# Tokens of older text that a decoder is told: a sentence or two, and more.
_HISTORY = 100


class SettledText:
    """The settled text of one turn, token by token.

    Of the tokens since the last cut the settled ones are the `prefix` of what is decoded next, and
    those before the cut its `history`. `word_end` is where the last settled word ends, in samples
    of the turn; `text` is what has been taken.
    """

    def __init__(self, policy: AgreementPolicy) -> None:
        self._agreement = Agreement(policy)
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._newest: Hypothesis | None = None
        self._taken = 0
        self._has_context = False
        self.prefix = Prefix()
        self.history: tuple[int, ...] = ()
        self.logprobs: list[TokenScore] = []
        self.text = ""
        self.word_end = 0

    @property
    def open_text(self) -> str:
        """What the newest hypothesis has behind the settled text."""
        scores = self._newest.scores[len(self.prefix.tokens) :] if self._newest else ()
        return b"".join(each.data for each in scores if each).decode("utf-8", "replace")

    @property
    def open_words(self) -> tuple[HeardWord, ...]:
        """The words of `open_text`."""
        words = self._newest.words if self._newest else ()
        return words[len(self._settled_words()) :]

    def begin_behind(self, context: Prefix) -> None:
        """Begin anew, behind words of another turn, which are not told; none are settled yet."""
        self.prefix, self._newest, self._has_context = context, None, bool(context.tokens)
        self._agreement.clear()

    def words_from(self, place: int) -> tuple[int, Prefix]:
        """Where the newest hypothesis's words from a place of the turn on begin; their tokens."""
        newest = self._newest
        words = newest.words if newest else ()
        number = next((n for n, word in enumerate(words) if word.start >= place), len(words))
        if newest is None or number == len(words):
            return place, Prefix()
        first = words[number - 1].after if number else 0
        spoken = [n for n in range(first, len(newest.tokens)) if newest.scores[n]]
        begin = (words[number - 1].end + words[number].start) // 2 if number else place
        tokens = tuple(newest.tokens[n] for n in spoken)
        return begin, Prefix(tokens, tuple(newest.logprobs[n] for n in spoken))

    def hear(self, newest: Hypothesis) -> None:
        """Settle what this hypothesis, whose text begins with the prefix, agrees on with others."""
        if self.prefix.tokens and self.prefix.tokens[0] != newest.tokens[0]:
            # Behind a cut the decoder puts a timestamp before it, as every text begins with one.
            first, logprob = newest.tokens[:1], newest.logprobs[:1]
            self.prefix = Prefix(first + self.prefix.tokens, logprob + self.prefix.logprobs)
        self._newest = newest
        self._settle(self._agreement.add(newest))

    def forget(self) -> None:
        """Forget hypotheses and history: a text that repeats itself is not told to anybody."""
        self._newest, self.history = None, ()
        self._agreement.clear()

    def settle_until(self, place: int) -> None:
        """Settle the newest hypothesis's words that end before a place of the turn."""
        words = self._newest.words if self._newest else ()
        self._settle(max((word.after for word in words if word.end <= place), default=0))

    def settle_all(self) -> None:
        """Settle all of the newest hypothesis, which is final."""
        self._settle(len(self._newest.tokens) if self._newest else 0)

    def edges(self) -> list[int]:
        """The places between a settled word and the next one, in samples of the turn."""
        words = self._newest.words if self._newest else ()
        settled = len(self._settled_words())
        return [(a.end + b.start) // 2 for a, b in pairwise(words)][:settled]

    def cut(self, place: int) -> None:
        """Nothing before this place of the turn is decoded again: its words are history now.

        What is behind it is decoded after the words that are settled there.
        """
        words = self._settled_words()
        end = max((w.after for w in words if w.middle < place), default=0)
        end = min(end, len(self.prefix.tokens))
        scores = self._newest.scores if self._newest else ()
        spoken = [n for n in range(len(self.prefix.tokens)) if scores[n]]
        tokens, logprobs = self.prefix.tokens, self.prefix.logprobs
        told = tuple(tokens[n] for n in spoken if n < end)
        kept = [n for n in spoken if n >= end]
        self.history = (*self.history, *told)[-_HISTORY:]
        self.prefix = Prefix(tuple(tokens[n] for n in kept), tuple(logprobs[n] for n in kept))
        self._newest = None
        self._agreement.cut(place)

    def take(self, *, is_last: bool = False) -> tuple[str, tuple[TokenScore, ...]]:
        """The text settled since the last call, in whole characters, and its tokens."""
        tokens = tuple(self.logprobs[self._taken :])
        self._taken = len(self.logprobs)
        text = self._utf8.decode(b"".join(each.data for each in tokens), final=is_last)
        # A transcript begins with its first word, and not with the space before it.
        text = text if self.text else text.lstrip()
        self.text += text
        return text, tokens

    def _is_odd(self, score: TokenScore) -> bool:
        """True for the comma behind another turn's words: no turn begins with it."""
        text = score.data.decode("utf-8", "replace")
        return self._has_context and not self.logprobs and set(text) <= CLOSING

    def _settled_words(self) -> list[HeardWord]:
        words = self._newest.words if self._newest else ()
        return [word for word in words if word.stem <= len(self.prefix.tokens)]

    def _settle(self, end: int) -> None:
        """Settle the newest hypothesis's tokens up to this place among them."""
        newest, begin = self._newest, len(self.prefix.tokens)
        if newest is None or end <= begin:
            return
        self.prefix = Prefix(newest.tokens[:end], newest.logprobs[:end])
        for score in newest.scores[begin:end]:
            if score and not self._is_odd(score):
                self.logprobs.append(score)
        self.word_end = max((word.end for word in self._settled_words()), default=self.word_end)
