"""Keys and values of all layers from few products: what a layer at a time gives."""

from __future__ import annotations

import pytest
import torch

from models.engine.cache import KVCache
from models.engine.loading import load_network
from models.engine.memory import held_bytes
from models.engine.network import Network
from models.engine.precision import resolve_precision
from models.engine.static.cross import CrossProducts
from tests.tiny import tiny_weights

CPU = torch.device("cpu")
FLOAT32 = resolve_precision("float32", CPU)
LAYERS, SLOTS, WINDOWS = 5, 4, 2
# Of one layer: keys and values of 1500 positions and 32 channels in float32.
LAYER_BYTES = WINDOWS * 1500 * 2 * 32 * 4


def network() -> Network:
    return load_network(tiny_weights(n_text_layer=LAYERS), CPU, FLOAT32)


def cache_of(net: Network) -> KVCache:
    return KVCache(net.dims, SLOTS, CPU, state=torch.float32, attention=torch.float32)


def weights_of(net: Network) -> list[torch.Tensor]:
    return [linear.get_parameter("weight") for linear in net.decoder.cross_kv]


@pytest.mark.parametrize(("most_bytes", "together"), [(0, 1), (2 * LAYER_BYTES, 2), (2**30, 5)])
def test_any_number_of_layers_together_writes_the_same(most_bytes: int, together: int) -> None:
    net = network()
    states = torch.randn(WINDOWS, 1500, 32, generator=torch.Generator().manual_seed(0))
    slots = torch.tensor([3, 1])
    expected, found = cache_of(net), cache_of(net)
    with torch.inference_mode():
        net.decoder.write_cross(states, expected, slots)
        products = CrossProducts(net.decoder, found, WINDOWS, most_bytes)
        products.write(states, slots)

    assert products.layers_together == together
    torch.testing.assert_close(found.audio, expected.audio, atol=1e-5, rtol=1e-5)
    assert not found.audio[:, :, [0, 2]].any()


def test_weights_are_held_once_and_the_decoder_still_has_them() -> None:
    net = network()
    cache = cache_of(net)
    before = held_bytes(net, cache)
    own = [weight.clone() for weight in weights_of(net)]

    CrossProducts(net.decoder, cache, WINDOWS)

    assert held_bytes(net, cache) == before
    assert len({weight.untyped_storage().data_ptr() for weight in weights_of(net)}) == 1
    assert all(map(torch.equal, weights_of(net), own))
