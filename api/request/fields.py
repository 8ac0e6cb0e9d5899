"""What every request about a recording has: a multipart form with fields, checked one by one."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Annotated, Self, get_origin

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_core import PydanticCustomError

from api.errors import ApiError
from api.request.forms import Form
from models.languages import language_code


def _code(name: str) -> str:
    code = language_code(name)
    if not code:
        message = "the language is not known; give a code such as en"
        raise PydanticCustomError("invalid_language_format", "{message}", {"message": message})
    return code


# Checked, and as a code.
LanguageCode = Annotated[str, AfterValidator(_code)]
Languages = Annotated[
    list[LanguageCode],
    Field(
        description="Languages that may be spoken: one of them is detected.",
        examples=[["en", "de"]],
    ),
]


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
