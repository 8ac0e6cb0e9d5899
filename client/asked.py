"""Requests from the command line's options, one for each recording."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import cast

from client.backend.errors import UsageError
from client.backend.request import FORMATS, Format, Request, Task

# The fields of the form, and the options that they are given by.
_FIELDS = {
    "language": "language",
    "prompt": "initial_prompt",
    "temperature": "temperature",
    "condition_on_previous_text": "condition_on_previous_text",
    "carry_initial_prompt": "carry_initial_prompt",
    "compression_ratio_threshold": "compression_ratio_threshold",
    "logprob_threshold": "logprob_threshold",
    "no_speech_threshold": "no_speech_threshold",
}
_LIMITS = ("max_line_width", "max_line_count", "max_words_per_line")


def request_of(given: argparse.Namespace, task: Task, formats: tuple[Format, ...]) -> Request:
    """The request.

    Raises:
        UsageError: options that do not go together, or are no text.
    """
    for option in ("word_timestamps", "highlight_words"):
        if task == "translate" and getattr(given, option):
            raise UsageError(f"a translation has no times of words: --{option} cannot be had")
    values = {field: getattr(given, option) for field, option in _FIELDS.items()}
    fields = [(field, _as_text(value)) for field, value in values.items() if value is not None]
    fields += [("keywords[]", word) for word in given.keyword]
    for text in (given.model, *(value for _, value in fields)):
        check_text(text)
    return Request(
        task=task,
        model=given.model,
        fields=tuple(fields),
        formats=formats,
        has_words=given.word_timestamps,
        layout=layout_of(given),
    )


def with_probabilities(request: Request) -> Request:
    """The request, for words with their probabilities; a translation has none."""
    if request.task == "translate":
        return request
    fields = (*request.fields, ("include[]", "word_probability"))
    return replace(request, fields=fields, has_words=True)


def layout_of(given: argparse.Namespace) -> tuple[tuple[str, float], ...]:
    """What is given of the layout of subtitles, by name."""
    limits = ((name, getattr(given, name)) for name in _LIMITS)
    found = [(name, value) for name, value in limits if value is not None]
    return (*found, ("highlight_words", True)) if given.highlight_words else tuple(found)


def formats_of(names: list[str] | None) -> tuple[Format, ...]:
    """The formats, each once and in a fixed order; none where none is named."""
    named = set(names or ())
    return tuple(name for name in FORMATS if name in named or "all" in named)


def task_of(given: argparse.Namespace, command: str) -> Task:
    """The task of a command, which `--task` may turn to the other."""
    return cast("Task", getattr(given, "task", command))


def check_text(text: str) -> None:
    """Refuse bytes that are no UTF-8: they come as halves of characters, and cannot be sent.

    Raises:
        UsageError: there are some.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"an option is no text in UTF-8: {text!a}") from None


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
