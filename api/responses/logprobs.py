"""Log-probabilities of tokens, as OpenAI's API shows them."""

from __future__ import annotations

from collections.abc import Iterable

from api.schemas import Logprob
from models.text.transcript import Segment, TokenScore


class Logprobs:
    """The tokens of one segment after another; the first loses its leading space."""

    def __init__(self) -> None:
        self._begun = False

    def of(self, segment: Segment) -> list[Logprob]:
        """The tokens of the next segment."""
        shown = []
        for score in segment.scores:
            data = score.data if self._begun else score.data.lstrip()
            if data:
                self._begun = True
                shown.append(_shown(TokenScore(data, score.logprob)))
        return shown


def logprobs(segments: Iterable[Segment]) -> list[Logprob]:
    """The tokens of a transcript's segments."""
    tokens = Logprobs()
    return [token for segment in segments for token in tokens.of(segment)]


def _shown(score: TokenScore) -> Logprob:
    text = score.data.decode("utf-8", errors="replace")
    return Logprob(token=text, logprob=score.logprob, bytes=list(score.data))
