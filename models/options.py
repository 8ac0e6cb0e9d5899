"""What a request may ask of a transcription, in openai-whisper's own names and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.errors import OptionError
from models.languages import LANGUAGES

Task = Literal["transcribe", "translate"]

FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class TranscribeOptions:
    """Options of one request.

    Names, meaning and defaults are those of `whisper.transcribe` (openai-whisper,
    `whisper/transcribe.py`), except that `condition_on_previous_text` is off: windows of one
    recording stay independent.

    Raises:
        OptionError: a value cannot be served; it names the option.
    """

    task: Task = "transcribe"
    language: str | None = None
    initial_prompt: str | None = None
    temperature: tuple[float, ...] = FALLBACK_TEMPERATURES
    compression_ratio_threshold: float | None = 2.4
    logprob_threshold: float | None = -1.0
    no_speech_threshold: float | None = 0.6
    condition_on_previous_text: bool = False

    def __post_init__(self) -> None:
        if self.task not in ("transcribe", "translate"):
            raise OptionError("task", f"task must be transcribe or translate, not {self.task!r}.")
        if self.language is not None and self.language not in LANGUAGES:
            raise OptionError(
                "language",
                f"Language {self.language!r} is not supported. Give a code such as 'en'.",
            )
        if not self.temperature:
            raise OptionError("temperature", "temperature must have at least one value.")
        for value in self.temperature:
            # `not (0 <= x)` also catches NaN
            if not 0.0 <= value <= 1.0:
                raise OptionError("temperature", f"temperature must lie in 0..1, not {value:g}.")
