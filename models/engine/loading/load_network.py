"""Loading of a checkpoint: names mapped, projections of a layer fused, layers quantized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Seq
from itertools import islice

import torch
from torch import Tensor

from models.checkpoints.catalogue import Dimensions
from models.checkpoints.weights import Weights, sinusoids
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.loading.calibration import TEXT, typical_inputs
from models.engine.loading.centring import centre
from models.engine.loading.rotation import rotated
from models.engine.network.absorbed_attention import absorbed
from models.engine.network.decoder import Network, group_sizes
from models.engine.network.linear import pack_linears, quantized_linear_deprecation
from models.engine.network.precision import Precision

_CROSS = "decoder.cross_kv"
# Of cross-KV between a product and the cache: a window of large-v3 has 246 MB of it.
_PROJECTION_BYTES = 32 * 2**20
_SAME = {"attn_ln": "attn_ln", "mlp_ln": "mlp_ln", "mlp.0": "mlp.up", "mlp.2": "mlp.down"}
_ENCODER = {**_SAME, "attn.out": "attn_out"}
_DECODER = {
    **_ENCODER,
    "cross_attn_ln": "cross_ln",
    "cross_attn.query": "cross_q",
    "cross_attn.out": "cross_out",
}


def load_network(
    weights: Weights,
    device: torch.device,
    precision: Precision,
    *,
    layers_per_projection: int | None = None,
) -> Network:
    """The network with these weights; one product for cross-KV of so many layers, or as fits.

    The encoder's positions are computed, not read: they are sinusoids (whisper/model.py).
    """
    dims = weights.dims
    state = dict(_fused(dims, weights.tensors))
    if precision.rotates:
        state = rotated(state)
    if precision.absorbs:
        state = absorbed(state, dims.n_text_head)
    grouped = layers_per_projection or _layers_per_projection(dims, device, precision)
    with torch.device("meta"):
        network = Network(dims, precision, weights.alignment_heads, layers_per_projection=grouped)
    if grouped > 1:
        state = _grouped(state, group_sizes(dims.n_text_layer, grouped))
    state = {name: tensor.to(device, precision.state) for name, tensor in state.items()}
    if not precision.rotates:
        state["decoder.head.weight"] = state["decoder.embedding"]
    network.load_state_dict(state, assign=True)
    network.to(device)  # what is not of the checkpoint
    network.eval().requires_grad_(requires_grad=False)
    if precision.absorbs:
        quantized_linear_deprecation()  # the calibration packs states in int8, before any layer
        centre(network, typical_inputs(network, _calibration_tokens(Vocabulary(dims))))
    pack_linears(network.encoder.blocks, precision.encoder)
    # Once for a window, like the encoder's, and not for every token.
    pack_linears(network.decoder.cross_kv, precision.encoder)
    pack_linears(network.decoder, precision.decoder)
    return network


def _calibration_tokens(vocabulary: Vocabulary) -> tuple[int, ...]:
    prompt = vocabulary.prompt("en", "transcribe", ())
    return (*prompt, vocabulary.timestamp_begin, *vocabulary.encode(TEXT))


def _layers_per_projection(dims: Dimensions, device: torch.device, precision: Precision) -> int:
    """A layer alone leaves a part of a GPU idle at its end; on a CPU several take longer."""
    layer = 2 * dims.n_audio_ctx * dims.n_text_state * precision.state.itemsize
    return 1 if device.type == "cpu" else max(1, _PROJECTION_BYTES // layer)


def _grouped(state: Mapping[str, Tensor], sizes: Seq[int]) -> dict[str, Tensor]:
    """Projections of cross-KV, [2 * state, n_audio_state] a layer, of several layers as one."""
    out = {name: tensor for name, tensor in state.items() if not name.startswith(_CROSS)}
    layers = iter(range(sum(sizes)))
    for group, size in enumerate(sizes):
        members = list(islice(layers, size))
        for part in ("weight", "bias"):
            names = [f"{_CROSS}.{layer}.{part}" for layer in members]
            if names[0] in state:
                out[f"{_CROSS}.{group}.{part}"] = torch.cat([state[name] for name in names])
    return out


def _fused(dims: Dimensions, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The tensors of `Network` by name; their shapes are those of its parameters."""
    yield "encoder.positions", sinusoids(dims.n_audio_ctx, dims.n_audio_state)
    embedding = tensors["decoder.token_embedding.weight"]
    yield "decoder.embedding", embedding
    yield "decoder.head.weight", embedding
    yield "decoder.head.bias", embedding.new_zeros(len(embedding))
    yield "decoder.positions", tensors["decoder.positional_embedding"]
    for module in ("encoder.conv1", "encoder.conv2", "encoder.ln_post", "decoder.ln"):
        yield from _copied(tensors, module, module)
    for layer in range(dims.n_audio_layer):
        yield from _block(tensors, f"encoder.blocks.{layer}", _ENCODER)
    for layer in range(dims.n_text_layer):
        yield from _block(tensors, f"decoder.blocks.{layer}", _DECODER)
        attention = f"decoder.blocks.{layer}.cross_attn"
        kv = [f"{attention}.key", f"{attention}.value"]
        yield from _stacked(tensors, kv, f"{_CROSS}.{layer}")


def _block(
    tensors: Mapping[str, Tensor], block: str, names: Mapping[str, str]
) -> Iterator[tuple[str, Tensor]]:
    """One block's tensors, whose projections of queries, keys and values are one."""
    for theirs, ours in names.items():
        yield from _copied(tensors, f"{block}.{theirs}", f"{block}.{ours}")
    qkv = [f"{block}.attn.{part}" for part in ("query", "key", "value")]
    yield from _stacked(tensors, qkv, f"{block}.attn_qkv")


def _copied(tensors: Mapping[str, Tensor], theirs: str, ours: str) -> Iterator[tuple[str, Tensor]]:
    for part in ("weight", "bias"):
        yield f"{ours}.{part}", tensors[f"{theirs}.{part}"]


def _stacked(
    tensors: Mapping[str, Tensor], modules: list[str], ours: str
) -> Iterator[tuple[str, Tensor]]:
    """Linear layers over the same input as one, [sum of outs, in]; Whisper's keys have no bias."""
    weights = [tensors[f"{module}.weight"] for module in modules]
    zero = weights[0].new_zeros(weights[0].shape[0])
    biases = [tensors.get(f"{module}.bias", zero) for module in modules]
    yield f"{ours}.weight", torch.cat(weights)
    yield f"{ours}.bias", torch.cat(biases)
