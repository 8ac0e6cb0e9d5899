"""The fields of JSON values and their types, apart from what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cli.comparison.difference import Difference

# Programs in typed languages read these as integers, and fail on a fraction, even one of zero.
_INTEGERS = re.compile(r"(^|\.)(id|seek|created|seconds|\w+_tokens|(tokens|bytes)\[\])$")
# No answer of this API has more than five levels.
_DEEPEST = 20

Shape = dict[str, frozenset[str]]


def shape_differences(here: object, against: object, where: str = "") -> list[Difference]:
    """Fields that one side has not, and those of other types; of what differs nothing within."""
    ours, theirs = shape(here, where), shape(against, where)
    found: dict[str, Difference] = {}
    for path in sorted(ours.keys() | theirs.keys(), key=lambda path: (len(_parts(path)), path)):
        if _is_told(path, found):
            continue
        if path not in ours or path not in theirs:
            if path.endswith("[]"):  # one of the lists is empty, which its length tells
                found[path] = Difference("missing", path)
            elif path in theirs:
                found[path] = Difference("missing", path, None, _types(theirs[path]))
            else:
                found[path] = Difference("additional", path, _types(ours[path]), None)
        elif ours[path] != theirs[path]:
            found[path] = Difference("type", path, _types(ours[path]), _types(theirs[path]))
    return [difference for path, difference in found.items() if not path.endswith("[]")]


def shape(value: object, where: str = "") -> Shape:
    """The types seen at each path; all items of a list are at one."""
    seen: dict[str, set[str]] = {}
    for path, each in _walk(value, where):
        seen.setdefault(path, set()).add(_type(path, each))
    return {path: frozenset(types) for path, types in seen.items()}


def leaves(value: object, where: str) -> dict[str, object]:
    """The values that are neither objects nor lists, by their paths."""
    return {path: each for path, each in _walk(value, where) if not isinstance(each, dict | list)}


def _walk(value: object, path: str, depth: int = 0) -> Iterator[tuple[str, object]]:
    if path:
        yield path, value
    if depth == _DEEPEST:
        return
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _walk(each, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each, f"{path}[]", depth + 1)


def _type(path: str, value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        is_fraction = isinstance(value, float) and _INTEGERS.search(path)
        return "number with a fraction" if is_fraction else "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "list"


def _types(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))


def _parts(path: str) -> list[str]:
    return path.replace("[]", ".[]").split(".")


def _is_told(path: str, found: dict[str, Difference]) -> bool:
    parts = _parts(path)
    above = {".".join(parts[:length]).replace(".[]", "[]") for length in range(1, len(parts))}
    return not above.isdisjoint(found)
