"""An answer of a server, as it came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

NOT_JSON = object()


@dataclass(frozen=True)
class Answer:
    """Status, headers and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status says that all went well."""
        return 200 <= self.status < 300

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def content_type(self) -> str:
        """The content type in one spelling; JSON is in UTF-8 whether or not it says so."""
        media, _, parameters = self.headers.get("content-type", "").lower().partition(";")
        told = sorted(part.strip().replace('"', "") for part in parameters.split(";"))
        if media.strip() == "application/json" and told == ["charset=utf-8"]:
            told = []
        return "; ".join(filter(None, (media.strip(), *told)))

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> object:
        """The body's JSON value; `NOT_JSON` where it is none."""
        return parsed(self.body)

    @property
    def message(self) -> str:
        """What an error says, in a line of its own words; empty where it says nothing readable."""
        value = self.json
        error = value.get("error", value.get("detail")) if isinstance(value, dict) else None
        told = error.get("message") if isinstance(error, dict) else error
        if not isinstance(told, str):
            told = "a web page" if self.media_type == "text/html" else self.text
        return one_line(told, 200)


def parsed(text: bytes | str) -> object:
    """A JSON value; `NOT_JSON` where it is none: NaN, which Python takes, is none to others."""
    try:
        value: object = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return NOT_JSON
    return value


def _refused(constant: str) -> object:
    raise ValueError(constant)


def one_line(text: str, longest: int) -> str:
    """Text of a server as a terminal may show it: one line, without control characters."""
    line = " ".join(text[: longest * 4].split())
    clean = "".join(character if character.isprintable() else "?" for character in line)
    return clean if len(clean) <= longest else f"{clean[: longest - 3]}..."
