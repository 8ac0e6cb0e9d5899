"""Size limits of text fields: while one is read, all other requests wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from api.errors import ApiError

MAX_CHARACTERS = 1024 * 1024
MAX_VALUES = 1000
# Of a prompt the end alone counts, and four references of ten seconds are 10 MiB.
UNBOUNDED = frozenset({"prompt", "known_speaker_references"})


def check_size(name: str, fields: Mapping[str, Sequence[str]]) -> None:
    """Raise an `ApiError` if the values of a field and its sub-fields are too large together."""
    same = (values for key, values in fields.items() if key.partition("[")[0] == name)
    size = sum(len(value) for values in same for value in values)
    if size > MAX_CHARACTERS and name not in UNBOUNDED:
        raise _too_large(name, f"{size} characters, and {MAX_CHARACTERS}")


def check_count(name: str, values: Sequence[str]) -> None:
    """Raise an `ApiError` if a list that is written in these values may be too long."""
    count = len(values) + sum(value.count(",") for value in values)
    if count > MAX_VALUES:
        raise _too_large(name, f"{count} values, and {MAX_VALUES}")


def _too_large(name: str, measured: str) -> ApiError:
    message = f"The field {name!r} is too large: it has {measured} are allowed."
    return ApiError(message, param=name, code="invalid_value")
