"""CUDA source to kernels, by NVIDIA's compiler library, which comes with PyTorch's CUDA wheels."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from cuda.bindings import driver, nvrtc
from torch import Tensor

_SOURCES = Path(__file__).parent
_SHARED = "common.cuh"
# Kernels that begin before the last one has ended are there from Hopper on, and so are clusters.
_HOPPER = (9, 0)


class CompileError(RuntimeError):
    """The compiler library or the driver does not do this."""


def has_clusters(device: torch.device) -> bool:
    """Whether blocks can read each other's memory there."""
    return torch.cuda.get_device_capability(device) >= _HOPPER


class Kernel:
    """A function of one of the sources here, on one device; launched on the current stream."""

    def __init__(
        self, source: str, name: str, macros: dict[str, int], device: torch.device
    ) -> None:
        binary = _compile(source, macros, torch.cuda.get_device_capability(device))
        with torch.cuda.device(device):
            torch.cuda.current_stream().synchronize()  # there is a context from here on
            (module,) = _checked(driver.cuModuleLoadData(binary))
        (self._function,) = _checked(driver.cuModuleGetFunction(module, name.encode()))
        self._module = module
        self._begins_early = has_clusters(device)

    def launch(
        self, grid: tuple[int, int, int], threads: int, arguments: Sequence[Tensor | int]
    ) -> None:
        """Run `grid` blocks of so many threads over tensors and 32-bit integers.

        From Hopper on it begins before the last kernel ends, for which it waits (common.cuh).
        """
        values = tuple(a.data_ptr() if isinstance(a, Tensor) else a for a in arguments)
        types = tuple(ctypes.c_void_p if isinstance(a, Tensor) else ctypes.c_int for a in arguments)
        config = driver.CUlaunchConfig()
        config.gridDimX, config.gridDimY, config.gridDimZ = grid
        config.blockDimX, config.blockDimY, config.blockDimZ = threads, 1, 1
        config.hStream = driver.CUstream(torch.cuda.current_stream().cuda_stream)
        if self._begins_early:
            early = driver.CUlaunchAttribute()
            names = driver.CUlaunchAttributeID
            early.id = names.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
            early.value.programmaticStreamSerializationAllowed = 1
            config.attrs, config.numAttrs = [early], 1
        _checked(driver.cuLaunchKernelEx(config, self._function, (values, types), 0))


def _compile(source: str, macros: dict[str, int], capability: tuple[int, int]) -> bytes:
    options = [f"--gpu-architecture=sm_{capability[0]}{capability[1]}".encode()]
    options += [f"-D{name}={value}".encode() for name, value in macros.items()]
    text, shared = ((_SOURCES / name).read_bytes() for name in (source, _SHARED))
    made = nvrtc.nvrtcCreateProgram(text, source.encode(), 1, [shared], [_SHARED.encode()])
    (program,) = _checked(made)
    (result,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    if result != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        (size,) = _checked(nvrtc.nvrtcGetProgramLogSize(program))
        log = bytes(size)
        nvrtc.nvrtcGetProgramLog(program, log)
        raise CompileError(log.decode(errors="replace"))
    (size,) = _checked(nvrtc.nvrtcGetCUBINSize(program))
    binary = bytes(size)
    _checked(nvrtc.nvrtcGetCUBIN(program, binary))
    nvrtc.nvrtcDestroyProgram(program)
    return binary


def _checked(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    result, *values = answer
    if int(result):
        raise CompileError(str(result))
    return tuple(values)
