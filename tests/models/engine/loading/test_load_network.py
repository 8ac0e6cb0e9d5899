"""Cross-KV of several layers from one product, against a layer at a time."""

from __future__ import annotations

import pytest
import torch

from models.engine.loading.load_network import load_network
from models.engine.network.decoder import Network, group_sizes
from models.engine.network.kv_cache import KVCache
from models.engine.network.precision import resolve_precision
from tests.tiny import tiny_weights

CPU = torch.device("cpu")
FLOAT32 = resolve_precision("float32", CPU)
LAYERS, SLOTS, WINDOWS = 5, 4, 2


def network(layers: int | None) -> Network:
    return load_network(
        tiny_weights(n_text_layer=LAYERS), CPU, FLOAT32, layers_per_projection=layers
    )


def cross_kv(net: Network) -> torch.Tensor:
    cache = KVCache(net.dims, SLOTS, CPU, state=torch.float32, attention=torch.float32)
    states = torch.randn(WINDOWS, 1500, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        net.decoder.write_cross(states, cache.cross, torch.tensor([3, 1]))
    return cache.cross.kv


@pytest.mark.parametrize("together", [1, 2, 5, 8])
def test_layers_together_write_what_each_writes_alone(together: int) -> None:
    one_by_one, grouped = network(None), network(together)
    expected, found = cross_kv(one_by_one), cross_kv(grouped)

    assert len(one_by_one.decoder.cross_kv) == LAYERS
    assert len(grouped.decoder.cross_kv) == len(group_sizes(LAYERS, together))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert expected[:, :, [1, 3]].any(-1).all()
    assert not found[:, :, [0, 2]].any()


def test_groups_hold_each_layer_once() -> None:
    assert group_sizes(5, 2) == [2, 2, 1]
    assert group_sizes(4, 8) == [4]
    assert group_sizes(0, 3) == []
