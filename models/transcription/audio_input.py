"""Audio input that the models of a process share: sandbox, voice activity detector, threads."""

from __future__ import annotations

from dataclasses import dataclass

from models.audio.sandbox.reader import Sandbox
from models.audio.vad.silero import Silero, load_silero
from models.transcription.reader_threads import ReaderThreads


@dataclass(frozen=True)
class AudioInput:
    """`sandbox` reads recordings, `detector` finds the speech in them, in these `threads`."""

    sandbox: Sandbox
    detector: Silero
    threads: ReaderThreads

    @classmethod
    def beside(cls, cores: int, sandbox: Sandbox | None = None) -> AudioInput:
        """For engines that leave it so many cores."""
        return cls(sandbox or Sandbox(), load_silero(), ReaderThreads(cores))

    def close(self) -> None:
        """End the threads, once what they do is completed, and the sandbox's processes."""
        self.threads.close()
        self.sandbox.close()
