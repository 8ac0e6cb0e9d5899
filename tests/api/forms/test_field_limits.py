"""Fields that would take long to read are refused by name; the others may be as large as ever."""

from __future__ import annotations

import pytest

from api.forms.field_limits import MAX_CHARACTERS, MAX_VALUES
from tests.api.routes.test_transcriptions import error_of, options_of

LARGE = "x" * (MAX_CHARACTERS + 1)
VAD = '{"type": "server_vad", "unknown": "%s"}'


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("chunking_strategy", {"chunking_strategy": VAD % LARGE}),
        (
            "chunking_strategy",
            {"chunking_strategy[type]": "server_vad", "chunking_strategy[unknown]": LARGE},
        ),
        ("known_speaker_names", {"known_speaker_names[]": LARGE}),
        ("keywords", {"keywords[0]": LARGE}),
    ],
)
def test_field_with_too_many_characters(name: str, fields: dict[str, str]) -> None:
    error = error_of(**fields)

    assert (error["param"], error["code"]) == (name, "invalid_value")
    assert error["message"].startswith(f"The field '{name}' is too large: it has ")
    assert error["message"].endswith(f" characters, and {MAX_CHARACTERS} are allowed.")


@pytest.mark.parametrize("name", ["languages", "keywords", "known_speaker_references"])
def test_field_with_too_many_values(name: str) -> None:
    error = error_of(**{name: ",".join(["en"] * (MAX_VALUES + 1))})

    assert (error["param"], error["code"]) == (name, "invalid_value")
    assert error["message"] == (
        f"The field '{name}' is too large: it has {MAX_VALUES + 1} values, and {MAX_VALUES} "
        "are allowed."
    )


def test_fields_that_are_just_small_enough() -> None:
    keywords = ["en"] * MAX_VALUES
    vad = VAD % LARGE[: MAX_CHARACTERS - len(VAD % "")]

    assert options_of(keywords=",".join(keywords)).keywords == tuple(keywords)
    assert options_of(chunking_strategy=vad).strategy == "parallel"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", "x, " * MAX_CHARACTERS),
        ("known_speaker_references[]", f"data:audio/wav;base64,{LARGE * 10}"),
        ("unknown", LARGE),
    ],
)
def test_fields_that_may_be_larger(name: str, value: str) -> None:
    prompt = options_of(**{name: value}).initial_prompt

    assert prompt == (value.strip() if name == "prompt" else None)
