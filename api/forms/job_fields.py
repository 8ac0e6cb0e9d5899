"""Fields of a background job: its answer is fetched later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

# OpenAI's limits of metadata.
MAX_PAIRS, MAX_NAME, MAX_VALUE = 16, 64, 512
MIN_SECONDS = 60
# What these fields are without `background`.
_WITHOUT: Mapping[str, object] = MappingProxyType(
    {"metadata": {}, "expires_after": None, "webhook_url": None, "webhook_include": []}
)


def _error(kind: str, message: str) -> PydanticCustomError:
    # The text goes in as a value: a brace in it must not be read as a place holder.
    return PydanticCustomError(kind, "{message}", {"message": message})


def _pairs(value: object) -> object:
    """The pairs of fields such as `metadata[name]`, or of an object that was written as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise _error("invalid_value", "it must be an object of strings")
    if len(value) > MAX_PAIRS:
        raise _error("invalid_value", f"it may have {MAX_PAIRS} pairs, and has {len(value)}")
    for name, text in value.items():
        if not 1 <= len(name) <= MAX_NAME or len(text) > MAX_VALUE:
            limits = f"names have up to {MAX_NAME} characters, values {MAX_VALUE}"
            raise _error("invalid_value", limits)
        if not (_is_text(name) and _is_text(text)):
            raise _error("invalid_value", "it has half of a surrogate pair, which is no character")
    return value


def _is_text(value: str) -> bool:
    """False for what UTF-8 cannot have, such as JSON's `\\ud800` alone: no answer could have it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class JobParameters(BaseModel):
    """Whether a request is a background job, and what is kept with it."""

    background: bool = Field(
        default=False,
        description="Answer at once with a job, whose result is fetched later.",
        examples=[True],
    )
    metadata: Annotated[dict[str, str], BeforeValidator(_pairs)] = Field(
        {},
        description="Only with `background`: up to 16 pairs that are told with the job, as JSON or "
        "in fields such as `metadata[name]`.",
        examples=[{"episode": "42"}],
    )
    expires_after: int | None = Field(
        None,
        ge=MIN_SECONDS,
        description="Only with `background`: seconds after its end, from 60 on, after which the "
        "job is removed; by default, and at most, what the server has set.",
        examples=[3600],
    )
    webhook_url: str | None = Field(
        None,
        description="Only with `background`: an http or https URL that is sent a signed event when "
        "the job has ended, of a host that the server allows.",
        examples=["https://example.org/done"],
    )
    webhook_include: list[Literal["text"]] = Field(
        [],
        description="Only with `webhook_url`: what the event has beside the job. `text`: the text "
        "of a completed one.",
        examples=[["text"]],
    )

    @field_validator(*_WITHOUT, mode="before")
    @classmethod
    def _of_jobs_alone(cls, value: object, info: ValidationInfo) -> object:
        """Of another request they mean nothing, whatever their clients mean by them."""
        return value if info.data.get("background") else _WITHOUT[str(info.field_name)]

    @field_validator("webhook_include")
    @classmethod
    def _of_webhooks_alone(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if value and "webhook_url" in info.data and not info.data["webhook_url"]:
            raise _error("unsupported_value", "webhook_include needs webhook_url")
        return value
