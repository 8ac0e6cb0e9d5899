"""Parameters of a transcription or translation, checked and turned into options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from api.errors import ApiError
from api.forms.audio_fields import AudioParameters
from api.forms.chunking import ChunkingStrategy, strategy_options
from api.forms.decoding import DecodingParameters
from api.forms.fields import FormRequest, LanguageName, Languages, codes_of
from api.forms.job_fields import JobParameters
from api.forms.subtitle_fields import HighlightParameters, SubtitleParameters
from models.language.languages import Script
from models.options import FALLBACK_TEMPERATURES, Task, TranscribeOptions
from models.subtitle_options import LEAD_IN, SubtitleOptions

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["segment", "word"]
StreamEvent = Literal["segment", "progress", "peaks", "verbose_json"]
Include = Literal["logprobs", "word_probability"]
Temperature = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


_EVENTS = "stream_events"
_GRANULARITIES = "timestamp_granularities"
_NO_SPEAKERS = "Taken and not used: this server does not tell speakers apart."


def _unsupported(message: str) -> PydanticCustomError:
    # The text goes in as a value: a brace in it must not be read as a place holder.
    return PydanticCustomError("unsupported_value", "{message}", {"message": message})


class TranslationRequest(
    JobParameters, SubtitleParameters, DecodingParameters, AudioParameters, FormRequest
):
    """What a translation may be asked with; other fields are ignored."""

    task: ClassVar[Task] = "translate"

    prompt: str | None = Field(
        None,
        description="Text to continue: style, names, spelling.",
        examples=["A talk on Kubernetes and BentoML."],
    )
    response_format: ResponseFormat = Field(
        "json", description="Format of the answer.", examples=["verbose_json"]
    )
    temperature: Temperature = Field(
        0,
        description="0 to 1; 0 decodes greedily and falls back to sampling where that fails.",
        examples=[0.2],
    )
    chunking_strategy: ChunkingStrategy | None = Field(
        None,
        description="`auto`; `sequential`, one window after the other as openai-whisper does; or "
        "`server_vad` with its settings, as JSON or in fields such as `chunking_strategy[type]`.",
        examples=["auto", {"type": "server_vad", "silence_duration_ms": 500}],
    )

    @field_validator("response_format", mode="before")
    @classmethod
    def _no_diarization(cls, value: object) -> object:
        if value == "diarized_json":
            raise _unsupported("this server does not tell speakers apart")
        return value

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Self:
        """The parameters with these values.

        Raises:
            ApiError, OptionError: the first of them that is missing or cannot be served.
        """
        parameters = super().from_values(values)
        parameters.subtitles()
        return parameters

    def subtitles(self) -> SubtitleOptions:
        """The options of srt and vtt; raises what `subtitle_options` does."""
        return self.subtitle_options(self.response_format)

    def options(self) -> TranscribeOptions:
        """The parameters in openai-whisper's words; temperature 0 means its whole ladder."""
        return TranscribeOptions(
            task=self.task,
            initial_prompt=self.prompt,
            temperature=(self.temperature,) if self.temperature else FALLBACK_TEMPERATURES,
            reading=self.reading(),
            **strategy_options(self.chunking_strategy),
            **self.decoding_options(),
        )


class TranscriptionRequest(HighlightParameters, TranslationRequest):
    """What a transcription may be asked with; other fields are ignored."""

    task: ClassVar[Task] = "transcribe"

    language: LanguageName = Field(
        None,
        description="The language spoken, as a code or by name: `en`, `en-US`, `eng`, `english`; "
        "`zh-TW` tells the script as well. Without one, or with `auto`, it is detected.",
        examples=["en"],
    )
    languages: Languages = Field([])
    keywords: list[str] = Field(
        [],
        description="Words to expect, at most 111 tokens together.",
        examples=[["Kubernetes", "BentoML"]],
    )
    hotwords: list[str] = Field(
        [],
        description="The same, by faster-whisper's name.",
        examples=[["Kubernetes", "BentoML"]],
    )
    stream_events: list[StreamEvent] = Field(
        [],
        description="Only with `stream`: events beside the text. `segment`: each segment with its "
        "times, and its words where `timestamp_granularities` asks for them; `progress`: every "
        "second, how far the work is; `peaks`: at the end, the waveform; `verbose_json`: at the "
        "end, all that the format of that name has.",
        examples=[["segment", "progress", "peaks", "verbose_json"]],
    )
    timestamp_granularities: list[Granularity] = Field(
        [],
        description="Only with `verbose_json` or segments of a stream: `segment`, `word` or both.",
        examples=[["segment", "word"]],
    )
    include: list[Include] = Field(
        [],
        description="Only with `json`: `logprobs`, the tokens with their log-probabilities. Only "
        "with `verbose_json` and words: `word_probability`, how sure each word is.",
        examples=[["logprobs"]],
    )
    known_speaker_names: list[str] = Field(
        [], description=_NO_SPEAKERS, examples=[["agent", "customer"]]
    )
    known_speaker_references: list[str] = Field(
        [], description=_NO_SPEAKERS, examples=[["data:audio/wav;base64,UklGRg=="]]
    )
    stream: bool = Field(
        False,
        description="Server-sent events, text as it becomes final; with `json` or `text`.",
        examples=[True],
    )

    @field_validator("timestamp_granularities")
    @classmethod
    def _words_of_verbose_json(cls, value: list[str], info: ValidationInfo) -> list[str]:
        # Some SDKs ask for segments in whatever format, which lose nothing where there are none.
        is_shown = info.data.get("response_format") == "verbose_json"
        is_streamed = not {"segment", "verbose_json"}.isdisjoint(info.data.get(_EVENTS, ()))
        if "word" in value and not is_shown and not is_streamed:
            raise _unsupported("word timestamps need response_format verbose_json")
        return value

    @field_validator("include")
    @classmethod
    def _of_its_format(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if "logprobs" in value and info.data.get("response_format") != "json":
            raise _unsupported("log probabilities need response_format json")
        if "word_probability" in value and "word" not in info.data.get(_GRANULARITIES, ()):
            raise _unsupported("probabilities of words need timestamp_granularities word")
        return value

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Self:
        """As for a translation; only text can be streamed."""
        parameters = super().from_values(values)
        answer = parameters.response_format
        if parameters.stream and parameters.background:
            message = "stream cannot be had with background: the text is fetched later"
            raise ApiError(message, param="stream", code="unsupported_value")
        if parameters.stream and answer not in ("json", "text"):
            message = f"stream needs response_format json or text, not {answer}"
            raise ApiError(message, param="response_format", code="unsupported_value")
        if parameters.stream_events and not parameters.stream:
            message = "stream_events need stream=true"
            raise ApiError(message, param=_EVENTS, code="unsupported_value")
        return parameters

    def options(self) -> TranscribeOptions:
        """The parameters in openai-whisper's words."""
        return replace(
            super().options(),
            language=self.language.code if self.language else None,
            languages=codes_of(self.languages),
            scripts=self._scripts(),
            keywords=(*self.keywords, *self.hotwords),
            word_timestamps="word" in self.timestamp_granularities or self.has_subtitle_options,
            lead_in=LEAD_IN if self.has_limits else 0.0,
        )

    def _scripts(self) -> tuple[Script, ...]:
        named = [self.language] if self.language else self.languages
        return tuple(dict.fromkeys(each.script for each in named if each.script))
