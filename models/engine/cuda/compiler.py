"""CUDA source to kernels, by NVIDIA's compiler library, which comes with PyTorch's CUDA wheels."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from cuda.bindings import driver, nvrtc
from torch import Tensor

_SOURCE = Path(__file__).with_name("kernels.cu")


class CompileError(RuntimeError):
    """The compiler library or the driver does not do this."""


class Kernel:
    """A function of `kernels.cu` on one device; launched on the current stream."""

    def __init__(self, name: str, macros: dict[str, int], device: torch.device) -> None:
        capability = torch.cuda.get_device_capability(device)
        binary = _compile(macros, capability)
        with torch.cuda.device(device):
            torch.cuda.current_stream().synchronize()  # there is a context from here on
            (module,) = _checked(driver.cuModuleLoadData(binary))
        (self._function,) = _checked(driver.cuModuleGetFunction(module, name.encode()))
        self._module = module

    def launch(
        self, grid: tuple[int, int], threads: int, arguments: Sequence[Tensor | int]
    ) -> None:
        """Run `grid` blocks of so many threads over tensors and 32-bit integers."""
        values = tuple(a.data_ptr() if isinstance(a, Tensor) else a for a in arguments)
        types = tuple(ctypes.c_void_p if isinstance(a, Tensor) else ctypes.c_int for a in arguments)
        stream = driver.CUstream(torch.cuda.current_stream().cuda_stream)
        _checked(
            driver.cuLaunchKernel(
                self._function, *grid, 1, threads, 1, 1, 0, stream, (values, types), 0
            )
        )


def _compile(macros: dict[str, int], capability: tuple[int, int]) -> bytes:
    options = [f"--gpu-architecture=sm_{capability[0]}{capability[1]}".encode()]
    options += [f"-D{name}={value}".encode() for name, value in macros.items()]
    source = _SOURCE.read_bytes()
    (program,) = _checked(nvrtc.nvrtcCreateProgram(source, b"kernels.cu", 0, [], []))
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
