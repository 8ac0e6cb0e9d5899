"""What the API answers, as OpenAI's API describes it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from models.options import Flag, Task


class UsageDuration(BaseModel):
    """What a request is billed by: seconds of audio, rounded up."""

    type: Literal["duration"] = "duration"
    seconds: int


class Logprob(BaseModel):
    """A token of the text; the bytes of all tokens join to it, a token alone may be a part."""

    token: str
    logprob: float
    bytes: list[int]


class Transcription(BaseModel):
    """`response_format=json`; a translation has no usage."""

    text: str
    logprobs: list[Logprob] | None = None
    usage: UsageDuration | None = None


class Segment(BaseModel):
    """A stretch of text; `seek` in frames of 10 ms, `start` and `end` in seconds.

    `language` is there where it is another than the transcript's, `flags` where the text is in
    doubt.
    """

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    language: str | None = None
    flags: list[Flag] | None = None


class Word(BaseModel):
    """A word without the punctuation around it; `start` and `end` in seconds."""

    word: str
    start: float
    end: float


class TranscriptionVerbose(BaseModel):
    """`response_format=verbose_json`; `language` is a name such as `english`.

    Of `segments` and `words` what `timestamp_granularities` asks for: segments, if nothing.
    """

    task: Task
    language: str
    duration: float
    text: str
    segments: list[Segment] | None = None
    words: list[Word] | None = None
    usage: UsageDuration | None = None


class DetectedLanguage(BaseModel):
    """A language and how probable it is."""

    code: str
    language: str
    probability: float


class LanguageDetection(BaseModel):
    """The most probable language, `null` where nobody speaks, and all of them in order."""

    code: str | None
    language: str | None
    probability: float
    languages: list[DetectedLanguage]


class TranscriptTextDelta(BaseModel):
    """With `stream=true`: more text, which will not change; all deltas join to the text."""

    type: Literal["transcript.text.delta"] = "transcript.text.delta"
    delta: str
    logprobs: list[Logprob] | None = None


class TranscriptTextDone(BaseModel):
    """With `stream=true`, at the end: the whole text."""

    type: Literal["transcript.text.done"] = "transcript.text.done"
    text: str
    logprobs: list[Logprob] | None = None


class Model(BaseModel):
    """A model id that requests may name; `created` in Unix seconds."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "whisper-bento"


class ModelList(BaseModel):
    """Every model id; there is one page."""

    object: Literal["list"] = "list"
    data: list[Model]


class Health(BaseModel):
    """What is being served, and on what."""

    status: Literal["ok"] = "ok"
    default_model: str
    models: list[str]
    device: str
    dtype: str
    version: str


class ErrorDetail(BaseModel):
    """An error; all four keys are always there."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """The envelope of every error."""

    error: ErrorDetail
