"""Sandboxed reader: `load.read` for untrusted files, each in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from models.audio.samples import Samples
from models.audio.sandbox.fork_server import ForkServer
from models.audio.sandbox.messages import Kind
from models.audio.sandbox.rlimits import Limits
from models.audio_options import MIX, AudioTrack, OnTrack, ReadOptions
from models.errors import AudioError, OptionError, SandboxError, WhisperError

SEND_SAMPLES = "models.audio.sandbox.sandbox_worker:send_samples"

_TOO_MUCH_TIME = "The file takes too much time to decode."
_CRASHED = "The file could not be decoded: it is damaged, and its decoder failed."
# What the reading of a file can do to a process by itself.
_CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}


class Sandbox:
    """Reads each recording in a process that can reach nothing else, within limits.

    Costs nothing until it is used; `prepare` makes the first use as fast as the others.
    """

    def __init__(self, limits: Limits | None = None, work: str = SEND_SAMPLES) -> None:
        self._fork_server = ForkServer(work, limits or Limits())

    def prepare(self) -> None:
        """Start the process that the others are forked from."""
        self._fork_server.prepare()

    def close(self) -> None:
        """End all processes; reading starts them again."""
        self._fork_server.close()

    def read(
        self, source: BinaryIO | Path, options: ReadOptions = MIX, on_track: OnTrack | None = None
    ) -> Generator[Samples, None, None]:
        """As `load.read`, in a process that is gone when this generator is.

        Raises:
            AudioError: also, the recording goes beyond the limits.
            OptionError: the file has no such track or channel.
            SandboxError: the process was ended by something else.
            OSError: the file cannot be read, or the system gives no process.
        """
        with closing(self._messages(source, options.to_bytes())) as messages:
            for kind, content in messages:
                match kind:
                    case Kind.SAMPLES:
                        yield np.frombuffer(content, "<i2").astype(np.float32) / np.float32(32768)
                    case Kind.TRACK if on_track:
                        on_track(AudioTrack(**json.loads(content)))
                    case Kind.ERROR:
                        raise AudioError(content.decode())
                    case Kind.OPTION:
                        raise OptionError(*json.loads(content))

    def _messages(
        self, source: BinaryIO | Path, request: bytes
    ) -> Generator[tuple[Kind, bytes], None, None]:
        """The messages of a child, which is reaped at the end."""
        with _descriptor(source) as descriptor:
            child = self._fork_server.start(descriptor, request)
        try:
            while (message := child.receive())[0] is not Kind.END:
                yield message
        except TimeoutError:
            raise AudioError(_TOO_MUCH_TIME) from None
        except (EOFError, ConnectionError):
            pass
        else:
            return
        finally:
            status = child.end()
        raise _failure(status)


def _failure(status: int | None) -> WhisperError:
    """The error for a child that has ended before it was done."""
    if status == -signal.SIGXCPU:
        return AudioError(_TOO_MUCH_TIME)
    if status in _CRASHES:
        return AudioError(_CRASHED)
    return SandboxError("The process that read the file was ended. Please send the request again.")


@contextmanager
def _descriptor(source: BinaryIO | Path) -> Iterator[int]:
    """A descriptor of the file, or of a copy of what is in memory."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file.fileno()
    elif getattr(source, "name", None) is not None:
        source.flush()
        yield source.fileno()
    else:
        # A spooled file has no name as long as it is in memory; asked for its descriptor, it
        # would go to the disk.
        with _memory() as file:
            source.seek(0)
            shutil.copyfileobj(source, file)
            file.flush()
            yield file.fileno()


def _memory() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("recording"), "w+b")  # noqa: PTH123 - has no path
    return cast("BinaryIO", tempfile.TemporaryFile())
