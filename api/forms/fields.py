"""Form fields of a request about a recording, checked one by one."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from typing import Annotated, Self, get_origin

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.errors import ApiError
from api.forms.read_form import Form
from models.language.language_tags import Language, asks_to_detect, find_language, near_languages


def named_language(name: object) -> Language:
    """The language of a code, a tag or a name.

    Raises:
        PydanticCustomError: there is no such language; it says which may have been meant.
    """
    text = name if isinstance(name, str) else ""
    if found := find_language(text):
        return found
    message = "the language is not known; give a code such as en"
    if near := near_languages(text):
        message += f"; did you mean {' or '.join(near)}?"
    raise PydanticCustomError("invalid_language_format", "{message}", {"message": message})


def _none_to_detect(value: object) -> object:
    return None if isinstance(value, str) and asks_to_detect(value) else value


def _all_to_detect(values: object) -> object:
    """No choice of languages, if one of them is to be detected: then any may be spoken."""
    if isinstance(values, list) and any(_none_to_detect(value) is None for value in values):
        return []
    return values


_Named = Annotated[Language, BeforeValidator(named_language), WithJsonSchema({"type": "string"})]
# Checked, and found in the table of languages; None: it is to be detected.
LanguageName = Annotated[_Named | None, BeforeValidator(_none_to_detect)]
Languages = Annotated[
    list[_Named],
    BeforeValidator(_all_to_detect),
    Field(
        description="Languages that may be spoken: one of them is detected.",
        examples=[["en", "de"]],
    ),
]


def codes_of(languages: Iterable[Language]) -> tuple[str, ...]:
    """The codes of languages, each once."""
    return tuple(dict.fromkeys(language.code for language in languages))


class FormRequest(BaseModel):
    """The fields of a form; those that are not known are ignored."""

    model: str = Field(
        description="A model id, such as `whisper-1` or `base`.",
        min_length=1,
        examples=["whisper-1"],
    )

    @classmethod
    def from_form(cls, form: Form) -> Self:
        """The parameters in a form.

        Raises:
            ApiError: the first of them that is missing or cannot be served.
        """
        form.log_unknown(set(cls.model_fields))
        given = form.names()
        values: dict[str, object] = {
            name: form.every(name) if get_origin(info.annotation) is list else form.of(name)
            for name, info in cls.model_fields.items()
            if name in given
        }
        return cls.from_values(values)

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Self:
        """The parameters with these values.

        Raises:
            ApiError: the first of them that is missing or cannot be served.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _first_problem(error) from error


def _first_problem(error: ValidationError) -> ApiError:
    first = error.errors(include_url=False)[0]
    param, *_ = path = [str(part) for part in first["loc"]]
    # What follows is the tag of a union, or a place in a list, and then a sub-field.
    name = ".".join((param, *path[2:]))
    if first["type"] == "missing":
        message = f"The field {name!r} is missing."
        return ApiError(message, param=param, code="missing_required_parameter")
    own = first["type"] in ("unsupported_value", "invalid_language_format")
    code = first["type"] if own else "invalid_value"
    message = f"{name}={reprlib.repr(first['input'])}: {first['msg']}"
    return ApiError(message, param=param, code=code)
