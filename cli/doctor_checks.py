"""Checks of the doctor: one function each, which says what it saw.

Each raises `Problem`, or another `WhisperError`, with a message that says what to do.
"""

from __future__ import annotations

import asyncio
import math
import re
import shutil
import sys
import tempfile
import time
import tomllib
import wave
from array import array
from collections.abc import Callable
from importlib import metadata
from io import BytesIO
from pathlib import Path

import torch

from api.port import port_problem
from api.settings import Settings
from api.version import PROJECT_FILE
from api.wyoming.address import open_to_all, wyoming_problem
from models.checkpoints import store
from models.engine.cpu.threads import cores
from models.engine.device.device import describe_device, resolve_device
from models.engine.device.engine_config import EngineConfig
from models.engine.network.precision import resolve_precision
from models.engine.start import start_engine
from models.errors import WhisperError
from models.options import TranscribeOptions
from models.transcription.transcriber import Transcriber
from models.units import MIB

# Uploads at once for which there must be room, and the room there must be at least.
UPLOADS, MIN_MIB = 8, 1024


class Problem(WhisperError):  # noqa: N818 - what a doctor finds
    """Something keeps the server from working; the message says what to do."""


def check_python(project: Path = PROJECT_FILE) -> str:
    """Python and what is installed, against `pyproject.toml`."""
    wanted = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    minimum, beyond = (
        tuple(map(int, re.findall(r"\d+", limit))) for limit in wanted["requires-python"].split(",")
    )
    if not minimum <= sys.version_info < beyond:
        raise Problem(f"this is {sys.version.split()[0]}: install {wanted['requires-python']}")
    pins = [pin.split("==") for pin in wanted["dependencies"]]
    wrong = [f"{name} {version}" for name, version in pins if _installed(name) != version]
    if wrong:
        raise Problem(f"not installed: {', '.join(wrong)}. Run scripts/setup")
    return f"{sys.version.split()[0]}, {len(pins)} dependencies as pinned"


def check_port(settings: Settings) -> str:
    """Address and port: the server can listen there."""
    if problem := port_problem(settings.host, settings.port):
        raise Problem(problem)
    return f"{settings.port} on {settings.host} is free"


def check_wyoming(settings: Settings) -> str:
    """Wyoming's address and port, where it is wanted: the server can listen there."""
    if not settings.wyoming_port:
        return "off: WHISPER_WYOMING_PORT is not set"
    if problem := wyoming_problem(settings, settings.port):
        raise Problem(problem)
    return open_to_all(settings) or f"{settings.wyoming_port} on {settings.wyoming_host} is free"


def check_disk(settings: Settings) -> str:
    """Room for what is uploaded, which waits on disk."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free // MIB
    needed = max(MIN_MIB, UPLOADS * settings.max_upload_mib)
    if free < needed:
        raise Problem(
            f"{free} MiB are free in {folder}, and {needed} MiB are needed for uploads: make room, "
            "or set TMPDIR to a folder on another disk"
        )
    return f"{free} MiB are free in {folder}"


def check_models(settings: Settings) -> str:
    """The models to serve: imported, and every file as it was imported."""
    for name in settings.models:
        checkpoint = store.find(name)
        if checkpoint is None:
            command = f"whisper-bento import {name}"
            raise Problem(f"{name} is not in the store. Import it with: {command}")
        store.verify(checkpoint)
    return f"{', '.join(settings.models)}: every file is as it was imported"


def check_device(settings: Settings) -> str:
    """Device and precision of the models; a GPU that PyTorch does not see is a problem."""
    device = resolve_device(settings.device)
    precision = resolve_precision(settings.dtype, device)
    if settings.device == "auto" and device.type == "cpu" and shutil.which("nvidia-smi"):
        raise Problem(
            f"there is a driver for NVIDIA, but PyTorch (for CUDA {torch.version.cuda}) sees no "
            "GPU. See that nvidia-smi works and the driver is new enough for that CUDA, or set "
            "WHISPER_DEVICE=cpu"
        )
    return f"{describe_device(device, settings.threads or cores())} in {precision.name}"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "port": check_port,
    "wyoming": check_wyoming,
    "disk": check_disk,
    "models": check_models,
    "device": check_device,
}


def check_transcription(settings: Settings) -> str:
    """A second of a tone, through everything but HTTP."""
    checkpoint = store.find(settings.default_model)
    assert checkpoint is not None
    config = EngineConfig(
        settings.device, settings.dtype, settings.padding, settings.slots, threads=settings.threads
    )
    transcriber = Transcriber(start_engine(store.load(checkpoint), config))
    try:
        transcriber.warm_up()
        began = time.monotonic()
        # Nobody speaks in it: what is dropped for that must not be.
        options = TranscribeOptions(drop=frozenset(), temperature=(0.0,))
        asyncio.run(transcriber.transcribe(_tone(), options))
        return f"{checkpoint.tag} takes {time.monotonic() - began:.2f} s for a window"
    finally:
        transcriber.close()


def _installed(name: str) -> str | None:
    try:
        # A wheel's build of PyTorch is told behind a plus sign.
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _tone() -> BytesIO:
    file, rate = BytesIO(), 16_000
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        wave_of = (math.sin(2 * math.pi * 440 * index / rate) for index in range(rate))
        writer.writeframes(array("h", (round(8000 * value) for value in wave_of)).tobytes())
    file.seek(0)
    return file
