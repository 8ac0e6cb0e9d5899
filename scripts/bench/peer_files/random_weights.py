"""Random weights of a checkpoint's dimensions that decode to a fixed number of tokens a window."""

from __future__ import annotations

import torch
from torch import Tensor

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.weights import Weights, default_alignment_heads, expected_shapes
from models.engine.decoding.vocabulary import Vocabulary

_SCALE = 0.02
# Two channels of the residual stream that no layer but the positions writes much into: the
# logits of end-of-text follow the first, those of timestamps the second.
_END, _TIME = 0, 1
_SIGNAL, _ANSWER = 50.0, 10.0


def random_weights(dims: Dimensions, tokens_per_window: int, seed: int = 0) -> Weights:
    """Weights for measuring speed where the real ones are not at hand.

    Nothing in a program has to change to run them. The positional embedding says how far the
    text is, and the embedding of end-of-text answers to it alone: it is the most likely token at
    step `tokens_per_window` and impossible before. Timestamps come first only, so that every
    window reaches 30 s. Prompts must be plain: language and task, no previous text.

    Raises:
        ValueError: `tokens_per_window` is not within 2 and half the text context.
    """
    if not 2 <= tokens_per_window <= dims.n_text_ctx // 2:
        raise ValueError(f"tokens per window must lie in 2..{dims.n_text_ctx // 2}")
    generator = torch.Generator().manual_seed(seed)
    tensors = {
        name: _random(name, shape, generator) for name, shape in expected_shapes(dims).items()
    }
    _place_the_end(dims, tensors, tokens_per_window)
    return Weights(dims, tensors, default_alignment_heads(dims))


def _random(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if name.endswith("bias"):
        return torch.zeros(shape, dtype=torch.float16)
    if len(shape) == 1:  # a norm's weight
        return torch.ones(shape, dtype=torch.float16)
    return torch.empty(shape).normal_(0.0, _SCALE, generator=generator).half()


def _place_the_end(dims: Dimensions, tensors: dict[str, Tensor], tokens: int) -> None:
    vocabulary = Vocabulary(dims)
    embedding = tensors["decoder.token_embedding.weight"]
    embedding[:, [_END, _TIME]] = 0.0
    embedding[vocabulary.eot] = 0.0
    embedding[vocabulary.eot, _END] = _ANSWER
    embedding[vocabulary.timestamp_begin :, _TIME] = -_ANSWER
    positions = tensors["decoder.positional_embedding"]
    # the token of step n is chosen at position prompt + n - 2, counted from 0
    last = len(vocabulary.prompt("en", "transcribe", ())) + tokens - 2
    positions[:last, _END], positions[last:, _END] = -_SIGNAL, _SIGNAL
    positions[:, _TIME] = _SIGNAL
