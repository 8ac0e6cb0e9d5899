"""Canonical weights of a checkpoint, whichever file they came from, and their fingerprint."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields

import torch

from models.checkpoints.catalogue import (
    N_VOCAB_ENGLISH,
    N_VOCAB_LARGE_V3,
    N_VOCAB_MULTILINGUAL,
    AlignmentHeads,
    Dimensions,
)
from models.errors import CheckpointFormatError

VOCABULARIES = {
    N_VOCAB_ENGLISH: "english",
    N_VOCAB_MULTILINGUAL: "multilingual",
    N_VOCAB_LARGE_V3: "large-v3",
}

# Recomputed by every reader, so no part of what is stored (openai-whisper, whisper/model.py).
_SINUSOIDS = "encoder.positional_embedding"
_MASK = "decoder.mask"
_MAX_DIMENSION = 1 << 20
_MAX_LAYERS = 256
_NARROWEST_FIRST = (torch.float16, torch.bfloat16, torch.float32)


@dataclass(frozen=True)
class Weights:
    """Weights under openai-whisper's state-dict names, without what is always recomputed.

    `tensors` has neither `encoder.positional_embedding` (sinusoids) nor `decoder.mask`; each
    tensor is contiguous, on the CPU, and of the narrowest of float16, bfloat16 and float32 that
    holds all of its values exactly. `alignment_heads` are (decoder layer, head) pairs.
    """

    dims: Dimensions
    tensors: Mapping[str, torch.Tensor]
    alignment_heads: AlignmentHeads


def build_weights(
    dims: Dimensions,
    tensors: Mapping[str, torch.Tensor],
    alignment_heads: AlignmentHeads | None = None,
) -> Weights:
    """Check what a source gave against the dimensions and bring it into canonical form.

    `tensors` may still have the sinusoids and the mask; without `alignment_heads` those of
    openai-whisper's fallback are taken: every head of the later half of the decoder's layers.

    Raises:
        CheckpointFormatError: sizes no Whisper has, a tensor that is missing, unexpected or of
            another shape, values that are not finite, or positions that are not the sinusoids.
    """
    check_dimensions(dims)
    given = {name: tensor for name, tensor in tensors.items() if name != _MASK}
    positions = given.pop(_SINUSOIDS, None)
    if positions is not None:
        _check_sinusoids(dims, positions)
    _check_shapes(dims, given)
    canonical = {name: _canonical(name, given[name]) for name in sorted(given)}
    heads = default_alignment_heads(dims) if alignment_heads is None else alignment_heads
    return Weights(dims, canonical, check_alignment_heads(dims, heads))


def fingerprint(weights: Weights) -> str:
    """Hex SHA-256 over dimensions and, by name, every tensor's type, shape and bytes."""
    digest = hashlib.sha256(json.dumps(asdict(weights.dims), sort_keys=True).encode())
    for name in sorted(weights.tensors):
        tensor = weights.tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor_bytes(tensor))
    return digest.hexdigest()


def sinusoids(length: int, channels: int) -> torch.Tensor:
    """Encoder positions, [length, channels]: sines of rising wavelength, then the cosines."""
    step = math.log(10_000) / (channels // 2 - 1)
    rates = torch.exp(-step * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def tensor_bytes(tensor: torch.Tensor) -> memoryview:
    """The bytes of a contiguous CPU tensor, without a copy."""
    return tensor.reshape(-1).view(torch.uint8).numpy().data


def dimensions_from(values: Mapping[str, object], origin: str) -> Dimensions:
    """Dimensions from a file's mapping; `origin` names the file in the error.

    Raises:
        CheckpointFormatError: a size is missing, too many, or not an integer.
    """
    names = [field.name for field in fields(Dimensions)]
    if set(values) != set(names):
        raise CheckpointFormatError(f"{origin}: the dimensions must be exactly {', '.join(names)}")
    sizes: dict[str, int] = {}
    for name in names:
        value = values[name]
        if not isinstance(value, int) or isinstance(value, bool):
            raise CheckpointFormatError(f"{origin}: {name} must be an integer, not {value!r}")
        sizes[name] = value
    return Dimensions(**sizes)


def check_dimensions(dims: Dimensions) -> None:
    """Refuse sizes that no Whisper checkpoint has.

    Raises:
        CheckpointFormatError: names the first size that cannot be.
    """
    for name, value in asdict(dims).items():
        maximum = _MAX_LAYERS if name.endswith("_layer") else _MAX_DIMENSION
        if not 0 < value <= maximum:
            raise CheckpointFormatError(f"{name} = {value} is no size of a Whisper checkpoint")
    if dims.n_vocab not in VOCABULARIES:
        known = ", ".join(f"{size} ({kind})" for size, kind in VOCABULARIES.items())
        raise CheckpointFormatError(f"n_vocab = {dims.n_vocab} is none of Whisper's: {known}")
    if dims.n_mels not in (80, 128):
        raise CheckpointFormatError(f"n_mels = {dims.n_mels} is none of Whisper's: 80, 128")
    if dims.n_audio_state != dims.n_text_state:
        raise CheckpointFormatError(
            f"n_audio_state = {dims.n_audio_state} and n_text_state = {dims.n_text_state} differ"
        )
    for state, head in (
        (dims.n_audio_state, dims.n_audio_head),
        (dims.n_text_state, dims.n_text_head),
    ):
        if state % head or state % 2:
            raise CheckpointFormatError(f"a state of {state} cannot be split into {head} heads")


def default_alignment_heads(dims: Dimensions) -> AlignmentHeads:
    """Every head of the later half of the decoder's layers (openai-whisper, `Whisper.__init__`)."""
    layers = range(dims.n_text_layer // 2, dims.n_text_layer)
    return tuple((layer, head) for layer in layers for head in range(dims.n_text_head))


def check_alignment_heads(dims: Dimensions, heads: object) -> AlignmentHeads:
    """The (layer, head) pairs of a file, sorted.

    Raises:
        CheckpointFormatError: they are no pairs of a layer and a head this decoder has.
    """
    pairs = [_head_pair(dims, pair) for pair in heads] if isinstance(heads, (list, tuple)) else []
    if not pairs:
        raise CheckpointFormatError("alignment_heads must be a list of [layer, head] pairs")
    return tuple(sorted(set(pairs)))


def expected_shapes(dims: Dimensions) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that a checkpoint of these dimensions consists of."""
    state = dims.n_audio_state
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.conv1.weight": (state, dims.n_mels, 3),
        "encoder.conv1.bias": (state,),
        "encoder.conv2.weight": (state, state, 3),
        "encoder.conv2.bias": (state,),
        "decoder.token_embedding.weight": (dims.n_vocab, dims.n_text_state),
        "decoder.positional_embedding": (dims.n_text_ctx, dims.n_text_state),
    }
    shapes.update(_norm_shapes("encoder.ln_post", state))
    shapes.update(_norm_shapes("decoder.ln", dims.n_text_state))
    for layer in range(dims.n_audio_layer):
        shapes.update(_block_shapes(f"encoder.blocks.{layer}", state, cross=False))
    for layer in range(dims.n_text_layer):
        shapes.update(_block_shapes(f"decoder.blocks.{layer}", dims.n_text_state, cross=True))
    return shapes


def _block_shapes(block: str, state: int, *, cross: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    for attention in ("attn", "cross_attn") if cross else ("attn",):
        for part in ("query", "key", "value", "out"):
            yield f"{block}.{attention}.{part}.weight", (state, state)
            if part != "key":
                yield f"{block}.{attention}.{part}.bias", (state,)
        yield from _norm_shapes(f"{block}.{attention}_ln", state)
    yield f"{block}.mlp.0.weight", (4 * state, state)
    yield f"{block}.mlp.0.bias", (4 * state,)
    yield f"{block}.mlp.2.weight", (state, 4 * state)
    yield f"{block}.mlp.2.bias", (state,)
    yield from _norm_shapes(f"{block}.mlp_ln", state)


def _norm_shapes(norm: str, state: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{norm}.weight", (state,)
    yield f"{norm}.bias", (state,)


def _head_pair(dims: Dimensions, pair: object) -> tuple[int, int]:
    match pair:
        case [int(layer), int(head)] if (
            0 <= layer < dims.n_text_layer and 0 <= head < dims.n_text_head
        ):
            return layer, head
    raise CheckpointFormatError(f"alignment_heads: {pair!r} is no [layer, head] of this decoder")


def _check_shapes(dims: Dimensions, tensors: Mapping[str, torch.Tensor]) -> None:
    expected = expected_shapes(dims)
    for name, shape in expected.items():
        if name not in tensors:
            raise CheckpointFormatError(f"tensor {name} is missing")
        if tuple(tensors[name].shape) != shape:
            found = list(tensors[name].shape)
            raise CheckpointFormatError(
                f"tensor {name} has shape {found}, the dimensions demand {list(shape)}"
            )
    for name in sorted(tensors):
        if name not in expected:
            raise CheckpointFormatError(f"tensor {name} is unexpected in a Whisper checkpoint")


def _check_sinusoids(dims: Dimensions, positions: torch.Tensor) -> None:
    shape = [dims.n_audio_ctx, dims.n_audio_state]
    if list(positions.shape) != shape:
        raise CheckpointFormatError(
            f"tensor {_SINUSOIDS} has shape {list(positions.shape)}, the dimensions demand {shape}"
        )
    _check_type(_SINUSOIDS, positions)
    # twice the rounding of the type they were saved in, float16's at least
    tolerance = max(torch.finfo(torch.float16).eps, torch.finfo(positions.dtype).eps)
    difference = (positions - sinusoids(*shape)).abs().max().item()
    if not difference <= tolerance:
        raise CheckpointFormatError(
            f"tensor {_SINUSOIDS} is not Whisper's sinusoids (off by {difference:.3g})"
        )


def _check_type(name: str, tensor: torch.Tensor) -> None:
    if tensor.dtype not in _NARROWEST_FIRST:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise CheckpointFormatError(
            f"tensor {name} is {kind}; only float16, bfloat16 and float32 can be read"
        )


def _canonical(name: str, tensor: torch.Tensor) -> torch.Tensor:
    _check_type(name, tensor)
    exact = tensor.detach().cpu().float()
    if not torch.isfinite(exact).all():
        raise CheckpointFormatError(f"tensor {name} has values that are not finite numbers")
    for dtype in _NARROWEST_FIRST:
        narrow = exact.to(dtype)
        if torch.equal(narrow.float(), exact):
            break
    return narrow.contiguous()
