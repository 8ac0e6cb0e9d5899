"""Inputs of int8 layers around 0, and large channels first: the same function, smaller errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.audio.load.load_audio import load
from models.audio.mel import LogMel
from models.checkpoints.weights import Weights
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.loading import load_network as loading
from models.engine.loading.calibration import STATES, synthetic_speech, typical_inputs
from models.engine.loading.centring import centre
from models.engine.loading.load_network import load_network
from models.engine.network import packed_states
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache, SlotIndex
from models.engine.network.linear import (
    AFTER_GELU,
    SYMMETRIC,
    Int8Linear,
    LinearKind,
    SplitInt8Linear,
)
from models.engine.network.packed_states import PackedStatesCache
from models.engine.network.precision import Precision
from models.engine.network.sparse_padding import encoder_positions
from tests.models.engine.network.test_linear import needs_bfloat16, needs_int8, relative_error
from tests.speech_clips import Clip, clips
from tests.tiny import tiny_weights

CPU = torch.device("cpu")
TOKENS = [50258, 50259, 50359, 50364, 400, 370, 452, 7177, 6280, 11]
# One clip each of several languages, none of which the calibration has heard.
REAL = {clip.language: clip for clip in clips() if clip.is_speech and not clip.is_long}


@dataclass(frozen=True)
class Absorbing(Precision):
    @property
    def rotates(self) -> bool:
        return True

    @property
    def absorbs(self) -> bool:
        return True


FLOAT = Absorbing("float32", torch.float32, torch.float32)


class InFloat:
    """What `PackedInt8` does, without bytes."""

    def __init__(self, weight: Tensor, _: object) -> None:
        self.weight = weight.clone()

    def multiply(self, rows: Tensor) -> Tensor:
        return F.linear(rows, self.weight)


def plain_network(
    weights: Weights, monkeypatch: pytest.MonkeyPatch, precision: Precision = FLOAT
) -> Network:
    with monkeypatch.context() as patched:
        patched.setattr(loading, "centre", lambda *_: None)
        return load_network(weights, CPU, precision)


@torch.inference_mode()
def logits(network: Network, mel: Tensor, frames: int, tokens: Sequence[int] = TOKENS) -> Tensor:
    positions = encoder_positions(frames, network.dims.n_audio_ctx, "thin", CPU)
    *_, states = network.encoder.stages(mel[None], positions)
    cache = KVCache(network.dims, 1, CPU, state=torch.float32, attention=None)
    assert isinstance(cache.window, PackedStatesCache)
    cache.window.write([0], positions, states)
    rows = SlotIndex.at([0], [range(len(tokens))], CPU)
    return network.decoder.logits(network.decoder(torch.tensor([tokens]), cache, rows))


def logits_of_clip(network: Network, clip: Clip) -> Tensor:
    mel = LogMel(load(clip.path), network.dims.n_mels)
    vocabulary = Vocabulary(network.dims)
    prompt = vocabulary.prompt(clip.language, "transcribe", ())
    tokens = [*prompt, vocabulary.timestamp_begin, *vocabulary.encode(f" {clip.text}")]
    return logits(network, mel.window(0), mel.content(0), tokens)


def behind_cross_attention(network: Network, clip: Clip) -> list[tuple[str, nn.Linear, Tensor]]:
    """The layers behind cross-attention, each with its name and its inputs for a clip."""
    found: list[tuple[str, nn.Linear, Tensor]] = []
    linears = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear)]
    behind = [(name, linear) for name, linear in linears if name.endswith("cross_out")]
    hooks = [
        linear.register_forward_pre_hook(
            lambda m, arguments, name=name: found.append((name, m, arguments[0]))
        )
        for name, linear in behind
    ]
    logits_of_clip(network, clip)
    for hook in hooks:
        hook.remove()
    return found


@pytest.fixture(scope="module")
def base(weights: Callable[[str], Weights]) -> Iterator[Network]:
    """`base` in float32, its inputs as they are, whose windows are not packed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packed_states, "PackedInt8", InFloat)
        yield plain_network(weights("base"), patched)


@pytest.mark.parametrize("seed", range(5))
def test_centred_network_computes_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_states, "PackedInt8", InFloat)
    small = tiny_weights(seed, n_audio_layer=2, n_text_layer=3)
    network = plain_network(small, monkeypatch)
    mel = torch.randn(80, 3000, generator=torch.Generator().manual_seed(seed))
    before = logits(network, mel, 700)
    centre(network, typical_inputs(network, TOKENS))

    torch.testing.assert_close(logits(network, mel, 700), before, atol=2e-4, rtol=1e-4)


def test_centred_network_has_inputs_around_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_states, "PackedInt8", InFloat)
    network = plain_network(tiny_weights(n_audio_layer=2, n_text_layer=2), monkeypatch)
    before = typical_inputs(network, TOKENS)
    centre(network, before)
    after = typical_inputs(network, TOKENS)

    centred = {n for n in after if not n.endswith(("mlp.down", "entry"))}
    assert {STATES, "decoder.head", "decoder.blocks.1.cross_out"} <= centred
    assert len(centred) == 2 * 3 + 2 * 5 + 2
    assert max(after[name].mean.abs().max() for name in centred) < 1e-5
    assert min(before[name].mean.abs().max() for name in centred) > 1e-3


@needs_int8
@pytest.mark.parametrize("attention", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("encoder", ["int8", pytest.param("bfloat16", marks=needs_bfloat16)])
def test_network_is_centred_in_every_pair_of_formats(
    encoder: LinearKind, attention: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that trials of a CPU may end with; attention in bfloat16 there is on each."""
    small, mel = tiny_weights(n_audio_layer=2, n_text_layer=2), synthetic_speech(80)
    formats = Precision("int8", torch.float32, attention, encoder, "int8")
    with monkeypatch.context() as patched:
        patched.setattr(packed_states, "PackedInt8", InFloat)
        exact = logits(plain_network(small, monkeypatch), mel, 300)

    found = logits(load_network(small, CPU, formats), mel, 300)

    assert relative_error(found, exact) < 0.03


def test_large_channels_of_an_mlp_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    network = plain_network(tiny_weights(n_text_layer=2), monkeypatch)
    centre(network, typical_inputs(network, TOKENS))
    largest = [x.largest for n, x in typical_inputs(network, TOKENS).items() if "down" in n]

    assert len(largest) == 3
    assert all((channels.diff() < 1e-3 * channels.max()).all() for channels in largest)


def test_synthetic_speech_lies_where_log_mels_lie() -> None:
    for n_mels in (80, 128):
        mel = synthetic_speech(n_mels)
        assert mel.shape == (n_mels, 3000)
        assert torch.equal(mel, synthetic_speech(n_mels))
        assert -1 < mel.min() < mel.max() < 2
        assert torch.equal(mel[:, 300:], mel[:1, 300:301].expand(n_mels, 2700))


@needs_int8
@pytest.mark.parametrize("language", sorted(REAL))
def test_int8_behind_cross_attention_loses_less_around_the_centre(
    base: Network, language: str
) -> None:
    inputs = typical_inputs(base, TOKENS)
    lost = []
    for name, layer, x in behind_cross_attention(base, REAL[language]):
        mean = inputs[name].mean
        packed, exact = Int8Linear(layer), layer(x)
        with torch.inference_mode():
            bytes_of_all, around = packed(x), packed(x - mean) + layer.weight @ mean
        lost.append([float((found - exact).norm()) for found in (around, bytes_of_all)])

    assert len(lost) == 6
    centred, plain = map(sum, zip(*lost, strict=True))
    assert centred < 0.7 * plain


@needs_int8
def test_split_linear_is_near_where_few_channels_are_large() -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(512, 256), F.gelu(torch.randn(5, 512))
    x[:, :12] *= 60
    with torch.inference_mode():
        whole = relative_error(Int8Linear(linear, AFTER_GELU)(x), linear(x))
        split = relative_error(SplitInt8Linear(linear, AFTER_GELU)(x), linear(x))

    assert split < 0.2 * whole


@needs_int8
@pytest.mark.parametrize("others", [1, 2, 3, 7, 8, 15, 20])
def test_split_linear_row_does_not_depend_on_the_others(others: int) -> None:
    torch.manual_seed(0)
    packed, x = SplitInt8Linear(nn.Linear(256, 96), SYMMETRIC), torch.randn(1, 1, 256)
    crowd = torch.cat([x, 1000 * torch.randn(others, 1, 256)])

    with torch.inference_mode():
        assert torch.equal(packed(crowd)[:1], packed(x))
