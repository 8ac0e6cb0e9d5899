"""Memory of models: estimated as it is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.checkpoints.catalogue import Dimensions
from models.engine.cpu.cpu_features import has_bfloat16_linear, has_int8_linear
from models.engine.device.engine_config import EngineConfig
from models.engine.memory_estimate import estimate_engine_bytes
from models.engine.network.memory import expected_bytes, slots_that_fit
from models.engine.network.precision import Precision
from models.engine.start import engine_bytes, start_engine
from tests.tiny import TINY, tiny_weights

# Those of this CPU.
DTYPES = [
    "float32",
    *(["bfloat16"] if has_bfloat16_linear() else []),
    *(["int8"] if has_int8_linear() else []),
]
SIZES = {"n_audio_layer": 2, "n_text_layer": 3, "n_audio_state": 64, "n_text_state": 64}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("slots", [1, 5])
def test_bytes_are_foreseen_as_they_are_counted(dtype: str, slots: int) -> None:
    config = EngineConfig(device="cpu", dtype=dtype, slots=slots)
    engine = start_engine(tiny_weights(**SIZES), config)
    held = engine.backend.nbytes
    engine.close()

    dims = replace(TINY, **SIZES)
    assert engine_bytes(dims, config) == held
    assert estimate_engine_bytes(config, {"tiny": dims}) == {"tiny": held}


def test_slots_take_their_keys_and_values() -> None:
    one, nine = (
        engine_bytes(TINY, EngineConfig(device="cpu", dtype="float32", slots=n)) for n in (1, 9)
    )

    assert nine - one == 8 * 4 * kv_values(TINY)


def test_what_a_backend_holds_beside_a_slot_is_estimated() -> None:
    half = Precision("float16", torch.float16, torch.float16)
    one, nine = (expected_bytes(TINY, half, slots, beside_slot=1000) for slots in (1, 9))

    assert nine - one == 8 * (2 * kv_values(TINY) + 1000)


def test_slots_fit_in_half_of_the_free_memory() -> None:
    half = Precision("float16", torch.float16, torch.float16)
    weights = expected_bytes(TINY, half, 0)
    slot = 2 * kv_values(TINY) + 1000

    assert slots_that_fit(TINY, half, weights + 10 * slot, beside_slot=1000) == 5
    assert slots_that_fit(TINY, half, weights + 12 * slot - 2, beside_slot=1000) == 5
    assert slots_that_fit(TINY, half, weights, beside_slot=1000) == 1
    assert slots_that_fit(TINY, half, 10**12, beside_slot=1000) == 64


def kv_values(dims: Dimensions) -> int:
    return 2 * dims.n_text_layer * (dims.n_audio_ctx + dims.n_text_ctx) * dims.n_text_state
