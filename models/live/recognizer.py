"""Protocols of the models that live sessions use: `ModelPool`, and in it `Transcriber`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from models.audio.samples import Samples
from models.options import TranscribeOptions
from models.request_stats import RequestStats
from models.text.transcript import Transcript
from models.transcription.live_window import LiveText, LiveWindow


class Recognizer(Protocol):
    """A loaded model."""

    async def decode_live(self, live: LiveWindow, stats: RequestStats | None = None) -> LiveText:
        """The text of a part of a turn."""
        ...

    async def transcribe_samples(
        self, samples: Samples, options: TranscribeOptions, stats: RequestStats | None = None
    ) -> Transcript:
        """The transcript of a whole turn, as that of a file."""
        ...


class Recognizers(Protocol):
    """Models by name."""

    def use(self, name: str) -> AbstractAsyncContextManager[Recognizer]:
        """A model that stays loaded within the block; it is loaded first where it has to be."""
        ...
