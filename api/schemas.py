"""Response schemas, as OpenAI's API describes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from models.options import Flag, Task

T = TypeVar("T")


def _is_none(value: object) -> bool:
    return value is None


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


# Left out of the answer where it is None: OpenAI sends no null for what was not asked for.
Absent = Annotated[
    T | SkipJsonSchema[None],
    Field(exclude_if=_is_none, json_schema_extra=_without_default),
]


class Answer(BaseModel):
    """What is sent: these fields and no others."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_serialization_defaults_required=True,
        use_attribute_docstrings=True,
    )


class UsageDuration(Answer):
    """What a request is billed by."""

    type: Literal["duration"] = "duration"
    """By the length of the audio."""
    seconds: int
    """The length, rounded up."""


class InputTokens(Answer):
    """What was read, in tokens."""

    text_tokens: int
    """Those of the prompt and keywords."""
    audio_tokens: int
    """Those of the audio: ten a second, rounded up."""


class UsageTokens(Answer):
    """What a stream is billed by."""

    type: Literal["tokens"] = "tokens"
    """By tokens."""
    total_tokens: int
    """All of them."""
    input_tokens: int
    """Those read."""
    input_token_details: InputTokens
    """Those read, by kind."""
    output_tokens: int
    """Those decoded, timestamps included."""


class Logprob(Answer):
    """A token of the text."""

    token: str
    """Its text; of a part of a character, a replacement character."""
    logprob: float
    """The logarithm of its probability."""
    bytes: list[int]
    """Its bytes in UTF-8; those of all tokens join to the text."""


class Transcription(Answer):
    """`response_format=json`."""

    text: str
    """The whole text."""
    logprobs: Absent[list[Logprob]] = None
    """The tokens of the text, where `include` asks for them."""
    usage: Absent[UsageDuration] = None
    """What the request is billed by; a translation has none."""


class Segment(Answer):
    """A stretch of text, between two timestamps."""

    id: int
    """Its number, from 0 on."""
    seek: int
    """Where its window starts, in frames of 10 ms."""
    start: float
    """Where it starts, in seconds."""
    end: float
    """Where it ends, in seconds."""
    text: str
    """Its text, with the space before it."""
    tokens: list[int]
    """Its text as token ids, timestamps included."""
    temperature: float
    """What its window was decoded with."""
    avg_logprob: float
    """The mean log-probability of its window's tokens."""
    compression_ratio: float
    """How well its window's text compresses: text that loops does."""
    no_speech_prob: float
    """The probability that its window is silence, in the model's opinion."""
    language: Absent[str] = None
    """Its language by name, where it is another than the transcript's."""
    flags: Absent[list[Flag]] = None
    """Why its text is in doubt, where it is."""


class Word(Answer):
    """A word and when it is said."""

    word: str
    """The word, without the punctuation around it."""
    start: float
    """Where it starts, in seconds."""
    end: float
    """Where it ends, in seconds."""
    probability: Absent[float] = None
    """The mean of its tokens' probabilities, where `include` asks for it."""


class TranscriptionVerbose(Answer):
    """`response_format=verbose_json`."""

    task: Task
    """What was asked for."""
    language: str
    """The language of the text by name, such as `english`."""
    duration: float
    """The length of the audio in seconds."""
    text: str
    """The whole text."""
    segments: Absent[list[Segment]] = None
    """The text in segments, unless `timestamp_granularities` asks for words alone."""
    words: Absent[list[Word]] = None
    """The text in words, where `timestamp_granularities` asks for them."""
    usage: Absent[UsageDuration] = None
    """What the request is billed by; a translation has none."""


class DetectedLanguage(Answer):
    """A language and how probable it is."""

    code: str
    """Its code, such as `en`."""
    language: str
    """Its name, such as `english`."""
    probability: float
    """0 to 1."""


class LanguageDetection(Answer):
    """The most probable language, and all of them."""

    code: str | None
    """Its code; null where nobody speaks."""
    language: str | None
    """Its name; null where nobody speaks."""
    probability: float
    """0 to 1; 0 where nobody speaks."""
    languages: list[DetectedLanguage]
    """All languages, the most probable one first."""


class Model(Answer):
    """A model id that requests may name."""

    id: str
    """The id."""
    object: Literal["model"] = "model"
    """What this is."""
    created: int
    """When the checkpoint was imported, in Unix seconds."""
    owned_by: str = "whisper-bento"
    """Who serves it."""
    shutdown_date: None = None
    """When it ends: no model here does."""


class ModelList(Answer):
    """Every model id; there is one page."""

    object: Literal["list"] = "list"
    """What this is."""
    data: list[Model]
    """The model ids."""


class ErrorDetail(Answer):
    """An error; all four keys are always there."""

    message: str
    """What is wrong, for people."""
    type: Literal["invalid_request_error", "server_error"]
    """Whose fault it is."""
    param: str | None
    """The field at fault, if it is one."""
    code: str | None
    """The kind of error for programs, if it has one."""


class ErrorBody(Answer):
    """The envelope of every error."""

    error: ErrorDetail
    """The error."""
