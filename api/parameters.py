"""The parameters of a transcription or translation, checked and turned into options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self, get_origin

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from api.errors import ApiError
from api.forms import Form
from api.problems import first_problem
from api.subtitle_fields import SUBTITLE_FIELDS, subtitle_options
from models.languages import language_code
from models.options import FALLBACK_TEMPERATURES, Task, TranscribeOptions
from models.subtitle_options import AS_SEGMENTS, SubtitleOptions

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]
Temperature = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _unsupported(message: str) -> PydanticCustomError:
    # The text goes in as a value: a brace in it must not be read as a place holder.
    return PydanticCustomError("unsupported_value", "{message}", {"message": message})


class TranslationRequest(BaseModel):
    """What a translation may be asked with; other fields are ignored."""

    task: ClassVar[Task] = "translate"

    model: str = Field(description="A model id, such as `whisper-1` or `base`.")
    prompt: str | None = Field(None, description="Text to continue: style, names, spelling.")
    response_format: ResponseFormat = Field("json", description="Format of the answer.")
    temperature: Temperature = Field(
        0, description="0 to 1; 0 decodes greedily and falls back to sampling where that fails."
    )
    max_line_width: int | None = Field(None, description="With `srt`, `vtt`: characters a line.")
    max_line_count: int | None = Field(None, description="With `srt`, `vtt`: lines a cue.")
    max_words_per_line: int | None = Field(None, description="With `srt`, `vtt`: words a line.")
    min_cue_duration: float | None = Field(None, description="With `srt`, `vtt`: seconds a cue.")
    max_cue_duration: float | None = Field(None, description="With `srt`, `vtt`: seconds a cue.")

    @field_validator("response_format", mode="before")
    @classmethod
    def _no_diarization(cls, value: object) -> object:
        if value == "diarized_json":
            raise _unsupported("this server does not tell speakers apart")
        return value

    @classmethod
    def from_form(cls, form: Form) -> Self:
        """The parameters in a form; raises what `from_values` does."""
        form.log_unknown(set(cls.model_fields))
        values: dict[str, object] = {
            name: form.every(name) if get_origin(info.annotation) is list else form.last(name)
            for name, info in cls.model_fields.items()
            if name in form.fields
        }
        return cls.from_values(values)

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Self:
        """The parameters with these values.

        Raises:
            ApiError, OptionError: the first of them that is missing or cannot be served.
        """
        try:
            wanted = cls.model_validate(values)
        except ValidationError as error:
            raise first_problem(error) from error
        wanted.subtitles()
        return wanted

    def subtitles(self) -> SubtitleOptions:
        """How srt and vtt are cut into cues; raises what `subtitle_options` does."""
        given = self.model_dump(include=SUBTITLE_FIELDS, exclude_none=True)
        return subtitle_options(self.response_format, given)

    def options(self) -> TranscribeOptions:
        """The parameters in openai-whisper's words; temperature 0 means its whole ladder."""
        return TranscribeOptions(
            task=self.task,
            initial_prompt=self.prompt,
            temperature=(self.temperature,) if self.temperature else FALLBACK_TEMPERATURES,
        )


class TranscriptionRequest(TranslationRequest):
    """What a transcription may be asked with; other fields are ignored."""

    task: ClassVar[Task] = "transcribe"

    language: str | None = Field(
        None, description="The language spoken: `en`, `en-US` or `english`; else it is detected."
    )
    timestamp_granularities: list[Literal["segment", "word"]] = Field(
        [], description="Only with `verbose_json`: `segment`."
    )
    include: list[Literal["logprobs"]] = Field(
        [], description="Only with `json`: `logprobs`, the tokens with their log-probabilities."
    )
    stream: bool = Field(
        False, description="Server-sent events, text as it becomes final; with `json` or `text`."
    )

    @field_validator("language")
    @classmethod
    def _known_language(cls, value: str | None) -> str | None:
        code = language_code(value) if value else None
        if value and not code:
            message = "the language is not known; give a code such as en"
            raise PydanticCustomError("invalid_language_format", "{message}", {"message": message})
        return code

    @field_validator("timestamp_granularities")
    @classmethod
    def _segments_of_verbose_json(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if value and info.data.get("response_format") != "verbose_json":
            raise _unsupported("timestamps need response_format verbose_json")
        if "word" in value:
            raise _unsupported("word timestamps are not available yet")
        return value

    @field_validator("include")
    @classmethod
    def _logprobs_of_json(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if value and info.data.get("response_format") != "json":
            raise _unsupported("log probabilities need response_format json")
        return value

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Self:
        """As for a translation; only text can be streamed."""
        wanted = super().from_values(values)
        if wanted.stream and wanted.response_format not in ("json", "text"):
            message = f"stream needs response_format json or text, not {wanted.response_format}"
            raise ApiError(message, param="response_format", code="unsupported_value")
        return wanted

    def options(self) -> TranscribeOptions:
        """The parameters in openai-whisper's words."""
        by_words = self.subtitles() != AS_SEGMENTS
        return replace(super().options(), language=self.language, word_timestamps=by_words)
