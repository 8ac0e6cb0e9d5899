"""What models hold in memory: foreseen as it is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.engine.cpu.cpu_features import has_bfloat16_linear, has_int8_linear
from models.engine.device.engine_config import EngineConfig
from models.engine.memory_estimate import estimate_engine_bytes
from models.engine.network.memory import expected_bytes
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
    held = engine.runner.nbytes
    engine.close()

    dims = replace(TINY, **SIZES)
    assert engine_bytes(dims, config) == held
    assert estimate_engine_bytes(config, {"tiny": dims}) == {"tiny": held}


def test_slots_take_what_the_catalogue_says() -> None:
    one, nine = (
        engine_bytes(TINY, EngineConfig(device="cpu", dtype="float32", slots=n)) for n in (1, 9)
    )

    assert nine - one == 8 * TINY.bytes_per_slot(4)


def test_states_that_a_gpu_may_keep_are_foreseen() -> None:
    half = Precision("float16", torch.float16, torch.float16)
    one, nine = (expected_bytes(TINY, half, slots) for slots in (1, 9))

    states = 2 * TINY.n_audio_ctx * TINY.n_audio_state
    assert nine - one == 8 * (TINY.bytes_per_slot(2) + states)
