"""Values in quotes, as clients that write each as JSON send them."""

from __future__ import annotations

import pytest

from models.options import TranscribeOptions
from tests.api.forms.test_read_form import END, file, options_of, post, text


@pytest.mark.parametrize(
    "model", ['"base"', '"whisper-1"', '"whisper-base"', ' "base" ', '" base"']
)
def test_model_in_quotes(model: str) -> None:
    assert options_of(text("model", model) + file() + END) == TranscribeOptions()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", '"de"'),
        ("response_format", '"verbose_json"'),
        ("temperature", '"0"'),
        ("stream", '"false"'),
        ("chunking_strategy", '"auto"'),
        ("timestamp_granularities[]", '"segment"'),
    ],
)
def test_other_values_in_quotes(name: str, value: str) -> None:
    expected = TranscribeOptions(language="de") if name == "language" else TranscribeOptions()
    assert options_of(text("model", '"base"') + text(name, value) + file() + END) == expected


def test_quotes_of_text_are_kept() -> None:
    options = options_of(
        text("model", "base")
        + text("prompt", '"Hello"')
        + text("keywords", '"BentoML"')
        + file()
        + END
    )
    assert (options.initial_prompt, options.keywords) == ('"Hello"', ('"BentoML"',))


@pytest.mark.parametrize(
    "model", ['"none"', '"base', 'base"', '""base""', '"ba"se"', '"', "'base'"]
)
def test_other_names_stay_unknown(model: str) -> None:
    assert post(text("model", model) + file() + END)[0] == 404


@pytest.mark.parametrize("model", ['""', '" "'])
def test_nothing_in_quotes_is_nothing(model: str) -> None:
    status, detail = post(text("model", model) + file() + END)
    assert (status, detail["code"]) == (400, "missing_required_parameter")
