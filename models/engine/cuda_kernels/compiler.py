"""NVRTC: CUDA source compiled at run time, by the library in PyTorch's CUDA wheels."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from cuda.bindings import driver, nvrtc
from torch import Tensor

_SOURCES = Path(__file__).parent
_HEADERS = "*.cuh"
# Programmatic dependent launch and clusters of blocks are there from Hopper on.
_HOPPER = (9, 0)
# Bytes of shared memory of a multiprocessor: those for servers have so many, others half of it.
_LARGE = 228 * 1024


def has_clusters(device: torch.device) -> bool:
    """True if blocks form clusters there, which read each other's shared memory."""
    return torch.cuda.get_device_capability(device) >= _HOPPER


def reads_states(device: torch.device) -> bool:
    """True if decode steps with many rows can read encoder states there (states.cu)."""
    size = torch.cuda.get_device_properties(device).shared_memory_per_multiprocessor
    return has_clusters(device) and size >= _LARGE


class CompileError(RuntimeError):
    """NVRTC or the driver reports an error."""


class Kernel:
    """A function of one of the sources here, on one device; launched on the current stream.

    `shared` is how many bytes of shared memory a block has that are not declared in it.
    """

    def __init__(
        self,
        source: str,
        name: str,
        macros: dict[str, int],
        device: torch.device,
        *,
        shared: int = 0,
    ) -> None:
        binary = _compile(source, macros, torch.cuda.get_device_capability(device))
        with torch.cuda.device(device):
            torch.cuda.current_stream().synchronize()  # there is a context from here on
            (module,) = _checked(driver.cuModuleLoadData(binary))
        (self._function,) = _checked(driver.cuModuleGetFunction(module, name.encode()))
        if shared:
            size = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            _checked(driver.cuFuncSetAttribute(self._function, size, shared))
        self._module, self._shared = module, shared
        self._begins_early = has_clusters(device)

    def launch(
        self,
        grid: tuple[int, int, int],
        threads: int,
        arguments: Sequence[Tensor | int],
        *,
        cluster: int = 0,
    ) -> None:
        """Run `grid` blocks of so many threads over tensors of any shape and 32-bit integers.

        `cluster` is how many neighbours read each other's memory, where the source does not say.
        From Hopper on it begins before the last kernel ends, for which it waits: programmatic
        dependent launch (common.cuh).
        """
        config = self._config(grid, threads, cluster)
        values = tuple(a.data_ptr() if isinstance(a, Tensor) else a for a in arguments)
        types = tuple(ctypes.c_void_p if isinstance(a, Tensor) else ctypes.c_int for a in arguments)
        _checked(driver.cuLaunchKernelEx(config, self._function, (values, types), 0))

    def max_clusters(self, threads: int, cluster: int) -> int:
        """Clusters of so many blocks that the device runs at once."""
        config = self._config((cluster, 1, 1), threads, cluster)
        (count,) = _checked(driver.cuOccupancyMaxActiveClusters(self._function, config))
        return int(count)

    def _config(
        self, grid: tuple[int, int, int], threads: int, cluster: int
    ) -> driver.CUlaunchConfig:
        config = driver.CUlaunchConfig()
        config.gridDimX, config.gridDimY, config.gridDimZ = grid
        config.blockDimX, config.blockDimY, config.blockDimZ = threads, 1, 1
        config.hStream = driver.CUstream(torch.cuda.current_stream().cuda_stream)
        config.sharedMemBytes = self._shared
        names, attributes = driver.CUlaunchAttributeID, []
        if self._begins_early:
            early = driver.CUlaunchAttribute()
            early.id = names.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
            early.value.programmaticStreamSerializationAllowed = 1
            attributes.append(early)
        if cluster:
            clusters = driver.CUlaunchAttribute()
            clusters.id = names.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
            size = clusters.value.clusterDim
            size.x, size.y, size.z = cluster, 1, 1
            attributes.append(clusters)
        config.attrs, config.numAttrs = attributes, len(attributes)
        return config


def _compile(source: str, macros: dict[str, int], capability: tuple[int, int]) -> bytes:
    options = [f"--gpu-architecture=sm_{capability[0]}{capability[1]}".encode()]
    options += [f"-D{name}={value}".encode() for name, value in macros.items()]
    paths = list(_SOURCES.glob(_HEADERS))
    headers = [path.read_bytes() for path in paths], [path.name.encode() for path in paths]
    text = (_SOURCES / source).read_bytes()
    made = nvrtc.nvrtcCreateProgram(text, source.encode(), len(paths), *headers)
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
