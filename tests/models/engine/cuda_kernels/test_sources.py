"""Static checks of the kernel sources, for faults that a GPU may not show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.engine import cuda_kernels

SOURCES = sorted(Path(cuda_kernels.__file__).parent.glob("*.cu"))
KERNELS = [
    pytest.param(kernel, id=re.findall(r"(\w+)\(", kernel.partition(" {")[0])[-1])
    for source in SOURCES
    for kernel in re.split(r'extern "C" __global__', source.read_text())[1:]
]


def test_there_are_kernels() -> None:
    assert len(KERNELS) == 5


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_waits_for_the_one_before_it(kernel: str) -> None:
    body = kernel[: kernel.index("\n}")]

    assert body.index("let_next_begin();") < body.index("wait_for_last();")
