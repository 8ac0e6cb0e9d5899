"""What is wrong with a request's values, as a client is told."""

from __future__ import annotations

import reprlib

from pydantic import ValidationError

from api.errors import ApiError


def first_problem(error: ValidationError) -> ApiError:
    """The first value that is missing or cannot be served."""
    first = error.errors(include_url=False)[0]
    param = str(first["loc"][0])
    if first["type"] == "missing":
        message = f"The field {param!r} is missing."
        return ApiError(message, param=param, code="missing_required_parameter")
    own = first["type"] in ("unsupported_value", "invalid_language_format")
    code = first["type"] if own else "invalid_value"
    message = f"{param}={reprlib.repr(first['input'])}: {first['msg']}"
    return ApiError(message, param=param, code=code)
