"""Ears of a session: appended bytes -> samples, and the probability of speech in each frame."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.live.live_options import AudioFormat
from models.live.pcm import TICKS, Pcm, PcmDecoder, bytes_per_second, ticks_of
from models.units import SAMPLE_RATE, VAD_FRAME

# Threads of a process for all sessions: a call of the detector takes a millisecond or two.
_THREADS = 2


@dataclass(frozen=True)
class HeardFrame:
    """A frame of samples, and the probability that somebody speaks in it.

    The last one before a commit may be shorter, and then nothing is known of it.
    """

    samples: Pcm
    probability: float | None


class Ears:
    """What a session has been sent, in order; `hear` runs in a thread, the rest in the loop."""

    def __init__(self, audio: AudioFormat) -> None:
        # Here, not above: the API is imported without PyTorch.
        from models.audio.vad.levelled_stream import LevelledStream, shared_detector

        self._stream = LevelledStream(shared_detector())
        self._format, self._decoder = audio, PcmDecoder(audio)
        self._unheard: deque[bytes | AudioFormat] = deque()
        self._frames: deque[HeardFrame] = deque()
        self._rest = np.zeros(0, np.int16)
        self._lock = threading.Lock()
        # In ticks; the loop counts what is appended, the thread what is heard.
        self._appended = self._heard = 0

    def append(self, audio: bytes) -> None:
        """Audio in the format configured last."""
        self._appended += ticks_of(self._format, len(audio))
        size = bytes_per_second(self._format)
        for start in range(0, len(audio), size):
            self._unheard.append(audio[start : start + size])

    @property
    def seconds(self) -> float:
        """Seconds that have been appended."""
        return self._appended / TICKS

    @property
    def pending(self) -> float:
        """Seconds that have not been heard."""
        return (self._appended - self._heard) / TICKS

    @property
    def audible(self) -> int:
        """Samples at 16 kHz that the detector can hear now, if the resampler holds none back."""
        return len(self._rest) + round(self.pending * SAMPLE_RATE)

    def configure(self, audio: AudioFormat) -> None:
        """What is appended from now on is in this format."""
        if audio != self._format:
            self._format = audio
            self._unheard.append(audio)

    def hear(self) -> None:
        """Hear what has come, a second of it at most."""
        with self._lock:
            audio = self._next()
            samples = np.concatenate([self._rest, self._decoder.feed(audio)])
            whole = len(samples) // VAD_FRAME * VAD_FRAME
            self._rest = samples[whole:]
            if whole:
                frames = samples[:whole].astype(np.float32) / np.float32(32768)
                probabilities = self._stream.feed(frames).tolist()
                blocks = samples[:whole].reshape(-1, VAD_FRAME)
                self._frames.extend(map(HeardFrame, blocks, probabilities))

    def take(self) -> list[HeardFrame]:
        """The frames that have been heard and not been taken yet."""
        frames: list[HeardFrame] = []
        while self._frames:
            frames.append(self._frames.popleft())
        return frames

    def drain(self) -> list[HeardFrame]:
        """All that is left, heard in this thread, with what fills no frame behind it."""
        while self._unheard:
            self.hear()
        with self._lock:
            if len(self._rest):
                self._frames.append(HeardFrame(self._rest, None))
                self._rest = np.zeros(0, np.int16)
        return self.take()

    def _next(self) -> bytes:
        """The bytes of the next second at most, all in one format."""
        pieces: list[bytes] = []
        size = 0
        while self._unheard:
            piece = self._unheard[0]
            if isinstance(piece, AudioFormat):
                if pieces:
                    break
                self._decoder = PcmDecoder(piece)
            else:
                if size + len(piece) > bytes_per_second(self._decoder.audio):
                    break
                pieces.append(piece)
                size += len(piece)
            self._unheard.popleft()
        self._heard += ticks_of(self._decoder.audio, size)
        return b"".join(pieces)


@cache
def hearing_threads() -> ThreadPoolExecutor:
    """The threads in which all sessions of this process hear."""
    from models.engine.cpu.threads import take_cores

    return ThreadPoolExecutor(_THREADS, "whisper-live", take_cores, (1,))
