"""Decoding fields of a request, in openai-whisper's names, with its defaults."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, Field, FiniteFloat, WithJsonSchema

from models.options import Flag, TranscribeOptions, WordTimes

_DEFAULTS = TranscribeOptions()


def _none(value: object) -> object:
    """`none` in any case is no threshold; an empty value would mean the default."""
    return None if isinstance(value, str) and value.lower() in ("none", "null") else value


def _nothing(value: object) -> object:
    return [] if value == ["none"] else value


def _or_none(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, {"type": "string", "const": "none"}]})


Threshold = Annotated[FiniteFloat | None, BeforeValidator(_none), _or_none({"type": "number"})]
Flags = Annotated[
    list[Flag],
    BeforeValidator(_nothing),
    _or_none({"type": "array", "items": {"type": "string", "enum": list(get_args(Flag))}}),
]


class DecodingParameters(BaseModel):
    """Thresholds against hallucinated text, and the prompt of each window."""

    compression_ratio_threshold: Threshold = Field(
        _DEFAULTS.compression_ratio_threshold,
        description="Text that compresses better is decoded again at the next temperature; `none`: "
        "none is.",
        examples=[2.4],
    )
    logprob_threshold: Threshold = Field(
        _DEFAULTS.logprob_threshold,
        description="So is text of a lower mean log-probability; `none`: none is.",
        examples=[-1.0],
    )
    no_speech_threshold: Threshold = Field(
        _DEFAULTS.no_speech_threshold,
        description="A window of a higher probability of silence, and below `logprob_threshold`, "
        "has no text; `none`: each has.",
        examples=[0.6],
    )
    drop_logprob_threshold: Threshold = Field(
        _DEFAULTS.drop_logprob_threshold,
        description="Nor has one whose mean log-probability was lower at some temperature, and "
        "which may be without speech; `none`: each has.",
        examples=[-2.5],
    )
    loop_threshold: Threshold = Field(
        _DEFAULTS.loop_threshold,
        description="What a window repeats at its end more often in a second of speech cannot be "
        "said, and is kept once; `none`: all is kept.",
        examples=[5.0],
    )
    drop: Flags = Field(
        sorted(_DEFAULTS.drop),
        description="Flags of segments to leave out: `no_speech` (neither voice detector nor "
        "decoder is sure that somebody speaks), `low_logprob`, `repetition`; or `none`.",
        examples=[["no_speech", "repetition"]],
    )
    condition_on_previous_text: bool = Field(
        default=False,
        description="Tell each window the text of the one before: windows one after the other.",
        examples=[True],
    )
    carry_initial_prompt: bool = Field(
        default=False,
        description="Tell every window the prompt, not the first one alone.",
        examples=[True],
    )

    word_times: WordTimes = Field(
        _DEFAULTS.word_times,
        description="Times of words where they are `heard`, or as `openai`-whisper finds them.",
        examples=["openai"],
    )

    def decoding_options(self) -> dict[str, Any]:
        """The same in the words of `TranscribeOptions`."""
        names = DecodingParameters.model_fields
        return {**{name: getattr(self, name) for name in names}, "drop": frozenset(self.drop)}
