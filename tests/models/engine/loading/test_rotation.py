"""Another basis for the residual stream: the same function, smaller errors in int8."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from models.audio.load.load_audio import load
from models.audio.mel import LogMel
from models.checkpoints.weights import Weights
from models.engine.cpu.cpu_features import has_int8_linear
from models.engine.loading.load_network import load_network
from models.engine.loading.rotation import basis
from models.engine.network.decoder import Network
from models.engine.network.linear import Int8Linear
from models.engine.network.precision import Precision
from models.engine.network.sparse_padding import encoder_positions
from tests.speech_clips import jfk

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Rotated(Precision):
    @property
    def rotates(self) -> bool:
        return True


def network(weights: Weights, kind: type[Precision]) -> Network:
    precision = kind("float32", torch.float32, torch.float32)
    return load_network(weights, CPU, precision)


def encoded(network: Network) -> Tensor:
    mel = LogMel(load(jfk().path), network.dims.n_mels)
    kept = encoder_positions(mel.content(0), network.dims.n_audio_ctx, "thin", CPU)
    return list(network.encoder.stages(mel.window(0)[None], kept))[-1]


@pytest.mark.parametrize("n_state", [32, 384, 512, 1280])
def test_basis_is_orthogonal_flat_and_keeps_the_mean(n_state: int) -> None:
    turn = basis(n_state)
    ones = torch.ones(n_state)

    assert torch.allclose(turn @ turn.T, torch.eye(n_state), atol=1e-5)
    assert torch.allclose(turn @ ones, ones, atol=1e-4)
    assert turn.abs().max() < 8 * n_state**-0.5


def test_rotated_network_computes_the_same(weights: Callable[[str], Weights]) -> None:
    plain, turned = (network(weights("base"), kind) for kind in (Precision, Rotated))
    with torch.inference_mode():
        before, after = encoded(plain), encoded(turned)
        for one, other in zip(plain.decoder.cross_kv, turned.decoder.cross_kv, strict=True):
            assert torch.allclose(one(before), other(after), atol=2e-3)


@pytest.mark.skipif(not has_int8_linear(), reason="this CPU has no FBGEMM")
def test_rotated_network_loses_less_in_int8(weights: Callable[[str], Weights]) -> None:
    def lost(network: Network) -> float:
        states = encoded(network)
        layer = network.decoder.cross_kv[0]
        assert isinstance(layer, nn.Linear)
        exact = layer(states)
        return float((Int8Linear(layer)(states) - exact).norm() / exact.norm())

    with torch.inference_mode():
        plain, turned = (lost(network(weights("base"), kind)) for kind in (Precision, Rotated))
    assert turned < 0.7 * plain
