"""Subtitles request: a transcript that may have been edited, and the file to write of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from api.errors import ApiError
from api.forms.subtitle_fields import HighlightParameters
from models.subtitle_options import SubtitleOptions
from models.text.edited_transcript import EditedSegment, begun_early, timed_segments
from models.text.transcript import Segment, Word

# Twelve hours of fast speech have half as many of each, but for a segment's text: the cost of
# cutting that grows with its square.
MAX_SEGMENTS = 50_000
MAX_WORDS = 250_000
MAX_CHARACTERS = 1_000_000
MAX_SEGMENT_CHARACTERS = 2_000
MAX_WORD_CHARACTERS = 200

SubtitleFormat = Literal["srt", "vtt", "txt", "tsv"]
Seconds = Annotated[float, Field(ge=0, le=100_000_000, allow_inf_nan=False)]


class SentWord(BaseModel):
    """A word of verbose_json; other members are ignored."""

    word: str = Field(max_length=MAX_WORD_CHARACTERS, description="The word.")
    start: Seconds = Field(description="Where it starts, in seconds.")
    end: Seconds = Field(description="Where it ends, in seconds.")


class SentSegment(BaseModel):
    """A segment of verbose_json; other members are ignored."""

    start: Seconds = Field(description="Where it starts, in seconds.")
    end: Seconds = Field(description="Where it ends, in seconds.")
    text: str = Field(max_length=MAX_SEGMENT_CHARACTERS, description="Its text.")
    words: list[SentWord] | None = Field(
        None,
        max_length=MAX_SEGMENT_CHARACTERS,
        description="Its own words, if it has them.",
    )


class SentTranscript(BaseModel):
    """An answer in verbose_json, as it was or edited; other members are ignored."""

    duration: Seconds | None = Field(None, description="The length of the recording in seconds.")
    segments: list[SentSegment] = Field(max_length=MAX_SEGMENTS, description="The text.")
    words: list[SentWord] | None = Field(
        None, max_length=MAX_WORDS, description="When words are said, for cues with limits."
    )

    @property
    def has_words(self) -> bool:
        """Whether it came with words, of which there may be none."""
        return self.words is not None or any(each.words is not None for each in self.segments)

    @model_validator(mode="after")
    def _in_all(self) -> Self:
        if sum(len(segment.text) for segment in self.segments) > MAX_CHARACTERS:
            message = f"the text has more than {MAX_CHARACTERS} characters"
            raise PydanticCustomError("too_long", "{message}", {"message": message})
        return self


class SubtitlesRequest(HighlightParameters):
    """What subtitles are made of."""

    transcript: SentTranscript = Field(
        description="A transcript as `verbose_json` answers it; its text may have been edited.",
        examples=[
            {"segments": [{"start": 0.0, "end": 2.6, "text": " The quick brown fox jumps."}]}
        ],
    )
    response_format: SubtitleFormat = Field(
        "srt", description="The file to write; `txt` has a line a segment.", examples=["vtt"]
    )

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """The request in a JSON body.

        Raises:
            ApiError: it is no JSON, or the first of its members that is missing or wrong.
            OptionError: a limit of cues cannot be served.
        """
        try:
            parsed = cls.model_validate_json(body)
        except ValidationError as error:
            raise _first_problem(error) from error
        parsed.subtitles()
        if parsed.highlight_words and not parsed.transcript.has_words:
            message = "highlight_words needs a transcript with words."
            raise ApiError(message, param="transcript.words", code="invalid_value")
        return parsed

    def subtitles(self) -> SubtitleOptions:
        """The options of cues; raises what `subtitle_options` does."""
        return self.subtitle_options(self.response_format)

    def segments(self) -> list[Segment]:
        """The transcript's segments, with words where these are known."""
        edited = [
            EditedSegment(each.start, each.end, each.text, _words(each.words or ()))
            for each in self.transcript.segments
        ]
        segments = timed_segments(edited, _words(self.transcript.words or ()))
        return list(begun_early(segments)) if self.has_limits else segments

    @property
    def duration(self) -> float:
        """The recording's length: where its last segment ends, if nothing else is said."""
        if self.transcript.duration is not None:
            return self.transcript.duration
        return max((segment.end for segment in self.transcript.segments), default=0.0)


def _words(sent: Iterable[SentWord]) -> tuple[Word, ...]:
    return tuple(Word(each.word, each.start, each.end, 1.0) for each in sent)


def _first_problem(error: ValidationError) -> ApiError:
    first = error.errors(include_url=False, include_input=False)[0]
    if not (param := ".".join(map(str, first["loc"]))):
        message = f"The body must be a JSON object: {first['msg']}."
        return ApiError(message, code="invalid_value")
    if first["type"] == "missing":
        message = f"The field {param!r} is missing."
        return ApiError(message, param=param, code="missing_required_parameter")
    message = f"Invalid value for {param!r}: {first['msg']}."
    return ApiError(message, param=param, code="invalid_value")
