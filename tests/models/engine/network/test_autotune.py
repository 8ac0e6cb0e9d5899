"""Every format that a CPU may choose, whatever CPU the tests run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch

from models.engine.network import autotune, linear, precision
from models.engine.network.autotune import pick_attention_dtype, pick_encoder_linear
from models.engine.network.linear import LinearKind, weight_scales
from models.engine.network.precision import Precision, resolve_precision
from models.errors import DeviceError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
Host = Callable[..., None]


@pytest.fixture(autouse=True)
def untried() -> Iterator[None]:
    """What was tried on this CPU counts neither here nor afterwards."""
    for choice in (pick_encoder_linear, pick_attention_dtype):
        choice.cache_clear()
    yield
    for choice in (pick_encoder_linear, pick_attention_dtype):
        choice.cache_clear()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """Makes this CPU another one; what only some can make is not made."""
    # PyTorch packs such a layer only where there are instructions for it.
    monkeypatch.setattr(autotune, "BFloat16Linear", lambda _: None)

    def become(module: object, **answers: object) -> None:
        for name, answer in answers.items():
            monkeypatch.setattr(module, name, lambda *_, answer=answer: answer)

    return become


@pytest.mark.parametrize(
    ("half", "byte", "chosen"),
    [(1.0, 1.0, "bfloat16"), (1.19, 1.0, "bfloat16"), (1.21, 1.0, "int8"), (9.0, 1.0, "int8")],
)
def test_encoder_takes_bfloat16_where_it_takes_a_fifth_longer_at_most(
    host: Host, half: float, byte: float, chosen: LinearKind
) -> None:
    host(autotune, multiplies_bfloat16=True, _times=(half, byte))

    assert pick_encoder_linear() == chosen


@pytest.mark.parametrize(
    ("half", "single", "chosen"),
    [(0.99, 1.0, torch.bfloat16), (1.0, 1.0, torch.float32), (1.1, 1.0, torch.float32)],
)
def test_attention_takes_bfloat16_where_it_is_faster(
    host: Host, half: float, single: float, chosen: torch.dtype
) -> None:
    host(autotune, multiplies_bfloat16=True, _times=(half, single))

    assert pick_attention_dtype() is chosen


def test_without_instructions_for_bfloat16_nothing_is_tried(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host(autotune, multiplies_bfloat16=False)
    monkeypatch.setattr(autotune, "_times", partial(pytest.fail, "tried"))

    assert pick_encoder_linear() == "int8"
    assert pick_attention_dtype() is torch.float32


def test_what_is_tried_is_tried_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host(autotune, multiplies_bfloat16=True, _times=(1.0, 1.0))
    assert pick_encoder_linear() == "bfloat16"
    monkeypatch.setattr(autotune, "_times", partial(pytest.fail, "tried again"))

    assert pick_encoder_linear() == "bfloat16"


def test_times_are_the_shortest_without_the_first_round(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter([1.0, 1.0, 7.0, 5.0, 6.0, 9.0, 8.0, 4.0, 9.0, 6.0])
    monkeypatch.setattr(autotune, "_seconds", lambda *_: next(rounds))

    assert autotune._times(torch.neg, torch.abs, torch.zeros(1)) == (6.0, 4.0)  # noqa: SLF001


@pytest.mark.parametrize(
    ("int8", "avx2", "bfloat16", "chosen"),
    [
        (True, True, True, "int8"),
        (True, True, False, "int8"),
        (True, False, True, "bfloat16"),
        (False, True, True, "bfloat16"),
        (False, True, False, "float32"),
        (True, False, False, "float32"),
    ],
)
def test_auto_is_the_fastest_that_a_cpu_knows(
    host: Host, int8: bool, avx2: bool, bfloat16: bool, chosen: str
) -> None:
    host(precision, has_int8_linear=int8, multiplies_bfloat16=bfloat16, has_bfloat16_linear=True)
    host(precision, pick_attention_dtype=torch.float32, pick_encoder_linear="int8")
    host(torch.cpu, _is_avx2_supported=avx2)

    assert resolve_precision("auto", CPU).name == chosen


@pytest.mark.parametrize("attention", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("encoder", ["int8", "bfloat16"])
def test_int8_encodes_in_what_was_chosen_and_decodes_in_bytes(
    host: Host, attention: torch.dtype, encoder: LinearKind
) -> None:
    host(precision, has_int8_linear=True)
    host(precision, pick_attention_dtype=attention, pick_encoder_linear=encoder)
    found = resolve_precision("int8", CPU)

    assert found == Precision("int8", torch.float32, attention, encoder, "int8")
    assert (found.rotates, found.absorbs, found.window_state) == (True, True, None)


def test_bfloat16_on_a_cpu_is_that_of_the_products(host: Host) -> None:
    host(precision, has_bfloat16_linear=True)
    found = resolve_precision("bfloat16", CPU)

    assert (found.state, found.encoder, found.decoder) == (torch.float32, "bfloat16", "bfloat16")
    assert (found.rotates, found.absorbs, found.window_state) == (False, False, torch.bfloat16)


@pytest.mark.parametrize("wanted", ["bfloat16", "int8", "float16"])
def test_what_a_cpu_does_not_know_is_refused(host: Host, wanted: str) -> None:
    host(precision, has_int8_linear=False, has_bfloat16_linear=False)

    with pytest.raises(DeviceError, match=f"{wanted} is not available on cpu here"):
        resolve_precision(wanted, CPU)


def test_a_gpu_computes_in_float16_unless_it_is_told() -> None:
    assert resolve_precision("auto", CUDA) == Precision("float16", torch.float16, torch.float16)
    assert resolve_precision("bfloat16", CUDA).state is torch.bfloat16
    with pytest.raises(DeviceError, match="int8 is not available on cuda"):
        resolve_precision("int8", CUDA)


def test_with_vnni_a_weight_has_all_levels(host: Host) -> None:
    host(linear, multiplies_int8=True)
    scales = weight_scales(torch.tensor([[127.0, 127.0], [-254.0, 1.0]]))

    assert scales.tolist() == pytest.approx([1.0, 2.0])


def test_without_vnni_two_neighbours_of_one_sign_fit_into_16_bits(host: Host) -> None:
    host(linear, multiplies_int8=False)
    weights = torch.tensor([[127.0, 127.0], [-100.0, -28.0], [127.0, -127.0], [1.0, 127.0]])
    scales = weight_scales(weights)

    assert scales.tolist() == pytest.approx([254 / 128, 1.0, 1.0, 1.0])
    steps = (weights / scales[:, None]).round()
    assert steps.sum(1).abs().max() * 255 <= 2**15
