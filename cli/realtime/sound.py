"""Sound to transcribe live: a recording played in real time, or the microphone.

Both are an iterator over pieces of 16-bit little-endian mono PCM at `RATE`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

from cli.realtime.errors import LiveError
from models.audio.load.load_audio import read
from models.errors import WhisperError
from models.units import SAMPLE_RATE

# As microphones have them; the server resamples.
MICROPHONE_RATE = 48_000
_PIECE_SECONDS = 0.1


async def played(path: Path, speed: float) -> AsyncIterator[bytes]:
    """A recording at 16 kHz, `speed` times as fast as it was spoken.

    Raises:
        LiveError: it cannot be read.
    """
    began, sent = time.monotonic(), 0.0
    for piece in _pieces(path):
        yield piece
        sent += len(piece) / 2 / SAMPLE_RATE / speed
        await asyncio.sleep(max(0.0, began + sent - time.monotonic()))


def _pieces(path: Path) -> Iterator[bytes]:
    length = round(_PIECE_SECONDS * SAMPLE_RATE)
    try:
        for samples in read(path):
            for begin in range(0, len(samples), length):
                yield (samples[begin : begin + length] * 32768).astype("<i2").tobytes()
    except WhisperError as error:
        raise LiveError(f"{path}: {error.message}") from None


async def microphone(device: int | str | None) -> AsyncIterator[bytes]:
    """What a microphone hears, at `MICROPHONE_RATE`, until the iterator is closed.

    Raises:
        LiveError: there is none, or the package that reads it is not installed.
    """
    library = _sounddevice()
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[bytes]()

    def heard(data: memoryview, *_: object) -> None:
        loop.call_soon_threadsafe(pieces.put_nowait, bytes(data))

    try:
        stream = library.RawInputStream(
            samplerate=MICROPHONE_RATE,
            blocksize=round(_PIECE_SECONDS * MICROPHONE_RATE),
            device=device,
            channels=1,
            dtype="int16",
            callback=heard,
        )
        with stream:
            while True:
                yield await pieces.get()
    except (library.PortAudioError, ValueError) as error:
        raise LiveError(f"the microphone cannot be used: {error}") from None


def microphones() -> str:
    """The sound devices, a line each, numbered.

    Raises:
        LiveError: the package that knows them is not installed.
    """
    return str(_sounddevice().query_devices())


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ImportError:
        raise LiveError("the microphone needs a package: run scripts/setup microphone") from None
    except OSError as error:
        # Its own: PortAudio comes with it on Windows and macOS only.
        message = f"the microphone needs PortAudio ({error}): on Debian, apt install libportaudio2"
        raise LiveError(message) from None
    found: ModuleType = sounddevice
    return found
