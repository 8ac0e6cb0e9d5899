"""Where in a window each token is heard, from the scores of the alignment heads.

As openai-whisper finds it (whisper/timing.py), but from scores that were kept while the text was
decoded: nothing is decoded again.
"""

from __future__ import annotations

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


class Watch(Protocol):
    """Hears, in one decode step, what the alignment heads score."""

    def note(self, rows: slice, scores: Tensor) -> None:
        """A layer's scores of some rows of the batch, [rows, heads, positions]."""
        ...


class RowWatch:
    """Notes the scores of chosen rows: for each a tensor [heads, positions] a layer."""

    def __init__(self, rows: Seq[int]) -> None:
        self.scores: dict[int, list[Tensor]] = {row: [] for row in rows}

    def note(self, rows: slice, scores: Tensor) -> None:
        """A layer's scores of some rows; kept in float16, as there are many."""
        for row, own in zip(range(rows.start, rows.stop), scores, strict=True):
            if row in self.scores:
                self.scores[row].append(own.half())


def token_starts(attempts: Seq[tuple[Window, Attempt]], eot: int) -> list[tuple[float, ...]]:
    """For windows that have ended: `DecodingResult.starts`."""
    spoken = [
        [place for place, token in enumerate(attempt.result.tokens) if token < eot]
        for _, attempt in attempts
    ]
    heard = {
        number: _heard(*attempts[number], indices)
        for number, indices in enumerate(spoken)
        if indices
    }
    firsts = dict(
        zip(heard, first_positions([-_attention(x) for x in heard.values()]), strict=True)
    )
    starts: list[tuple[float, ...]] = []
    for number, indices in enumerate(spoken):
        positions = firsts.get(number, [])
        if len(positions) == len(indices) > 0:
            positions.append(heard[number].shape[-1])  # cut off: nothing came after the last token
        starts.append(tuple(position * SECONDS_PER_POSITION for position in positions))
    return starts


def _heard(window: Window, attempt: Attempt, indices: Seq[int]) -> Tensor:
    """The scores [heads, tokens, positions] of these tokens, and of what came after the last."""
    # The first token is a timestamp, for which nothing was noted.
    noted = [index - 1 for index in indices]
    noted += [noted[-1] + 1] * (noted[-1] + 1 < len(attempt.heard))
    rows = [torch.cat(attempt.heard[step]) for step in noted]
    positions = max(1, window.frames // FRAMES_PER_POSITION)
    return torch.stack(rows, dim=1)[..., :positions].float()


def _attention(scores: Tensor) -> Tensor:
    """How much more than the others each token hears each position, [tokens, positions]."""
    weights = scores.softmax(-1)
    spread, mean = torch.std_mean(weights, dim=-2, keepdim=True, correction=0)
    return smooth((weights - mean) / spread.clamp_min(1e-9)).mean(0)


def smooth(x: Tensor) -> Tensor:
    """The median of each position and its three neighbours on either side."""
    size = x.shape[-1]
    if size <= _MIDDLE:
        return x
    mirrored = F.pad(x, (_MIDDLE, _MIDDLE), mode="reflect")
    lanes = [mirrored[..., offset : offset + size] for offset in range(_WIDTH)]
    for a, b in _EXCHANGES:
        lanes[a], lanes[b] = torch.minimum(lanes[a], lanes[b]), torch.maximum(lanes[a], lanes[b])
    return lanes[_MIDDLE]
