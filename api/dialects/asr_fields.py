"""Query fields of whisper-asr-webservice, checked and turned into options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field

from api.dialects.asr_outputs import Output
from api.forms.fields import FormRequest, LanguageName
from api.requests.model_registry import DEFAULT_ID
from models.options import TranscribeOptions


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class EncodeField(FormRequest):
    """What a detection is asked with; other fields are ignored.

    `encode` false: the file may be samples without a header.
    """

    model: str = Field(DEFAULT_ID)
    encode: bool = Field(True)

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> Self:
        """The fields in a query; an empty one counts as not given.

        Raises:
            ApiError: the first of them that cannot be served.
        """
        names = cls.model_fields
        given = {name: value.strip() for name, value in query.items() if name in names}
        return cls.from_values({name: value for name, value in given.items() if value})


class AsrFields(EncodeField):
    """What a transcription is asked with.

    Speakers are not told apart: as with its engines that do not, `diarize` is ignored.
    """

    task: Literal["transcribe", "translate"] = Field("transcribe")
    language: LanguageName = Field(None)
    initial_prompt: str | None = Field(None)
    hotwords: Annotated[list[str], BeforeValidator(_listed)] = Field([])
    vad_filter: bool = Field(False)
    word_timestamps: bool = Field(False)
    output: Output = Field("txt")

    def options(self) -> TranscribeOptions:
        """The same in openai-whisper's words; only json shows words."""
        return TranscribeOptions(
            task=self.task,
            language=self.language.code if self.language else None,
            scripts=(self.language.script,) if self.language and self.language.script else (),
            initial_prompt=self.initial_prompt,
            keywords=tuple(word for word in self.hotwords if word),
            strategy="parallel" if self.vad_filter else "auto",
            word_timestamps=self.word_timestamps and self.output == "json",
        )
