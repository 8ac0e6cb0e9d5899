"""Token times by dynamic time warping, from the cross-attention scores of the alignment heads.

As openai-whisper finds them (whisper/timing.py), but from scores that were recorded while the text
was decoded: nothing is decoded again.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Seq
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from models.checkpoints.catalogue import FRAMES_PER_POSITION
from models.engine.decoding.attempts import Attempt
from models.engine.decoding.dtw import first_positions
from models.engine.decoding.sequence import Window

SECONDS_PER_POSITION = 0.02
# Medians of seven positions, as exchanges that put the middle one in the middle.
_WIDTH, _MIDDLE = 7, 3
_EXCHANGES = (
    (0, 5), (0, 3), (1, 6), (2, 4), (0, 1), (3, 5), (2, 6),
    (2, 3), (3, 6), (4, 5), (1, 4), (1, 3), (3, 4),
)  # fmt: skip


class ScoreRecorder(Protocol):
    """Keeps the alignment heads' scores of tokens that are fed."""

    def record(self, rows: slice, scores: Tensor) -> None:
        """Keep a layer's scores of some rows of the batch, [rows, heads, tokens, positions]."""
        ...


class RowRecorder:
    """Keeps the scores of chosen rows; `rows` says which of the tokens fed to each.

    Of these tokens each row has in `scores` one after the other a tensor [heads, positions] a
    layer.
    """

    def __init__(self, rows: Mapping[int, range]) -> None:
        self._rows = rows
        self.scores: dict[int, list[list[Tensor]]] = {
            row: [[] for _ in tokens] for row, tokens in rows.items()
        }

    def record(self, rows: slice, scores: Tensor) -> None:
        """Keep a layer's scores, [rows, heads, tokens, positions]; in float16, there are many."""
        for row, row_scores in zip(range(rows.start, rows.stop), scores, strict=True):
            for kept, token in zip(self.scores.get(row, ()), self._rows.get(row, ()), strict=True):
                kept.append(row_scores[:, token].half())


def token_starts(attempts: Seq[tuple[Window, Attempt]], eot: int) -> list[tuple[float, ...]]:
    """For windows that have ended: `DecodingResult.starts`, in seconds."""
    spoken = [
        [place for place, token in enumerate(attempt.result.tokens) if token < eot]
        for _, attempt in attempts
    ]
    scores = {
        number: _scores_of(*attempts[number], places)
        for number, places in enumerate(spoken)
        if places
    }
    costs = [-_attention(window_scores) for window_scores in scores.values()]
    firsts = dict(zip(scores, first_positions(costs), strict=True))
    starts: list[tuple[float, ...]] = []
    for number, places in enumerate(spoken):
        positions = firsts.get(number, [])
        if len(positions) == len(places) > 0:
            positions.append(scores[number].shape[-1])  # cut off: nothing came after the last token
        starts.append(tuple(position * SECONDS_PER_POSITION for position in positions))
    return starts


def _scores_of(window: Window, attempt: Attempt, places: Seq[int]) -> Tensor:
    """The scores [heads, tokens, positions] of these tokens, and of what came after the last."""
    # The first token is a timestamp, for which nothing was recorded.
    steps = [place - 1 for place in places]
    steps += [steps[-1] + 1] * (steps[-1] + 1 < len(attempt.scores))
    rows = [torch.cat(attempt.scores[step]) for step in steps]
    positions = max(1, window.frames // FRAMES_PER_POSITION)
    return torch.stack(rows, dim=1)[..., :positions].float()


def _attention(scores: Tensor) -> Tensor:
    """Attention of each token to each position, normalised over the tokens.

    Scores [heads, tokens, positions] -> [tokens, positions].
    """
    weights = scores.softmax(-1)
    spread, mean = torch.std_mean(weights, dim=-2, keepdim=True, correction=0)
    return smooth((weights - mean) / spread.clamp_min(1e-9)).mean(0)


def smooth(weights: Tensor) -> Tensor:
    """Median filter over seven positions, [..., positions] -> the same."""
    size = weights.shape[-1]
    if size <= _MIDDLE:
        return weights
    mirrored = F.pad(weights, (_MIDDLE, _MIDDLE), mode="reflect")
    lanes = [mirrored[..., offset : offset + size] for offset in range(_WIDTH)]
    for a, b in _EXCHANGES:
        lanes[a], lanes[b] = torch.minimum(lanes[a], lanes[b]), torch.maximum(lanes[a], lanes[b])
    return lanes[_MIDDLE]
