"""Form fields of whisper.cpp's `/inference`, checked and turned into options."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from api.errors import ApiError
from api.forms.fields import FormRequest, LanguageName
from api.requests.model_registry import DEFAULT_ID
from models.options import MAX_VOICE_MS, TranscribeOptions, VoiceOptions
from models.subtitle_options import AS_SEGMENTS, SubtitleOptions

AnswerFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
_TRUE = ("true", "1", "yes", "y")
_VOICE = VoiceOptions()
_MIN_STEP, _MAX_WIDTH = 0.1, 1_000


def _flag(value: object) -> object:
    return value.lower() in _TRUE if isinstance(value, str) else value


def _known_or_json(value: object) -> object:
    return value if value in get_args(AnswerFormat) else "json"


def _refused(reason: str) -> AfterValidator:
    """A field that would change what is answered, and cannot be served: it may only be off."""

    def check(value: float) -> float:
        if value:
            raise PydanticCustomError("unsupported_value", "{reason}", {"reason": reason})
        return value

    return AfterValidator(check)


def _few_steps(value: float) -> float:
    """At each temperature a window is decoded again: there may not be hundreds."""
    if value and not _MIN_STEP <= value <= 1:
        reason = f"it must be 0, or from {_MIN_STEP} to 1"
        raise PydanticCustomError("invalid_value", "{reason}", {"reason": reason})
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
Milliseconds = Annotated[int, Field(ge=0, le=MAX_VOICE_MS)]
_PART = _refused("a part of a recording is not served: send that part alone")
_SPEAKERS = _refused("this server does not tell speakers apart")


class InferenceFields(FormRequest):
    """What `/inference` is asked with.

    Ignored, as they do not change what is asked for: `best_of`, `beam_size`, `entropy_thold`,
    `word_thold`, `max_context`, `audio_ctx`, `split_on_word`, `suppress_nst`, `debug_mode`,
    `vad_max_speech_duration_s`, `vad_samples_overlap`.
    """

    model: str = Field(DEFAULT_ID)
    language: LanguageName = Field(None)
    detect_language: Flag = Field(False)
    translate: Flag = Field(False)
    prompt: str | None = Field(None)
    carry_initial_prompt: Flag = Field(False)
    response_format: Annotated[AnswerFormat, BeforeValidator(_known_or_json)] = Field("json")
    temperature: Annotated[FiniteFloat, Field(ge=0, le=1)] = Field(0.0)
    temperature_inc: Annotated[FiniteFloat, AfterValidator(_few_steps)] = Field(0.2)
    logprob_thold: FiniteFloat = Field(-1.0)
    no_speech_thold: FiniteFloat = Field(0.6)
    no_timestamps: Flag = Field(False)
    token_timestamps: Flag = Field(True)
    no_language_probabilities: Flag = Field(False)
    max_len: Annotated[int, Field(ge=0, le=_MAX_WIDTH)] = Field(0)
    vad: Flag = Field(False)
    vad_threshold: Annotated[FiniteFloat, Field(ge=0, le=1)] = Field(_VOICE.threshold)
    vad_min_speech_duration_ms: Milliseconds = Field(_VOICE.min_speech_duration_ms)
    vad_min_silence_duration_ms: Milliseconds = Field(_VOICE.silence_duration_ms)
    vad_speech_pad_ms: Milliseconds = Field(_VOICE.prefix_padding_ms)
    offset_t: Annotated[int, _PART] = Field(0)
    duration: Annotated[int, _PART] = Field(0)
    offset_n: Annotated[int, _refused("subtitles are counted from 1")] = Field(0)
    diarize: Annotated[Flag, _SPEAKERS] = Field(False)
    tinydiarize: Annotated[Flag, _SPEAKERS] = Field(False)

    @property
    def has_words(self) -> bool:
        """True if the answer shows words."""
        shown = self.response_format == "verbose_json" and not self.no_timestamps
        return shown and self.token_timestamps

    @property
    def shows_languages(self) -> bool:
        """True if the answer shows how probable each language is."""
        return self.response_format == "verbose_json" and not self.no_language_probabilities

    def subtitles(self) -> SubtitleOptions:
        """Limits of the cues of srt and vtt: lines of `max_len` characters."""
        if not self.max_len or self.response_format not in ("srt", "vtt"):
            return AS_SEGMENTS
        return SubtitleOptions(max_line_width=self.max_len, max_line_count=1)

    @model_validator(mode="after")
    def _lines_of_subtitles(self) -> Self:
        if self.max_len and self.response_format == "verbose_json":
            message = "max_len is served for srt and vtt, whose lines it limits, not for segments"
            raise ApiError(message, param="max_len", code="unsupported_value")
        return self

    def options(self) -> TranscribeOptions:
        """The same in openai-whisper's words."""
        language = None if self.detect_language else self.language
        return TranscribeOptions(
            task="translate" if self.translate else "transcribe",
            language=language.code if language else None,
            scripts=(language.script,) if language and language.script else (),
            initial_prompt=self.prompt,
            carry_initial_prompt=self.carry_initial_prompt,
            temperature=self._temperatures(),
            logprob_threshold=self.logprob_thold,
            no_speech_threshold=self.no_speech_thold,
            word_timestamps=self.has_words or self.subtitles() != AS_SEGMENTS,
            strategy="parallel" if self.vad else "auto",
            voice=self._voice() if self.vad else _VOICE,
        )

    def _temperatures(self) -> tuple[float, ...]:
        """From the first to 1 in steps; without a step, the first alone."""
        if not self.temperature_inc:
            return (self.temperature,)
        steps = int((1 - self.temperature) / self.temperature_inc + 1e-6)
        values = (self.temperature + number * self.temperature_inc for number in range(steps + 1))
        return tuple(round(value, 6) for value in values)

    def _voice(self) -> VoiceOptions:
        return VoiceOptions(
            threshold=self.vad_threshold,
            prefix_padding_ms=self.vad_speech_pad_ms,
            silence_duration_ms=self.vad_min_silence_duration_ms,
            min_speech_duration_ms=self.vad_min_speech_duration_ms,
        )
