"""Rows: what a line of a manifest may be."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from bulk.row import Row, row_of


def test_id_is_the_sha1_of_the_uri() -> None:
    found = row_of({"uri": "a/ü.mp3"})
    assert found == Row(
        hashlib.sha1("a/ü.mp3".encode(), usedforsecurity=False).hexdigest(), "a/ü.mp3"
    )


def test_nemo_manifests_are_taken() -> None:
    found = row_of({"audio_filepath": "a.wav", "duration": 2, "text": "what was said", "offset": 0})
    assert (found.uri, found.duration) == ("a.wav", 2.0)


def test_names_that_are_no_unicode_have_an_id() -> None:
    assert len(row_of(json.loads('{"uri": "\\udcff.mp3"}')).id) == 40


def test_options_are_form_fields() -> None:
    options = {"temperature": 0.5, "carry_initial_prompt": True, "keywords": ["Ada", "Babbage"]}
    found = row_of({"uri": "a", "id": 7, "language": "de", "options": options})
    assert found.id == "7"
    assert dict(found.fields[:3]) == {
        "language": "de",
        "temperature": "0.5",
        "carry_initial_prompt": "true",
    }
    assert found.fields[3:] == (("keywords[]", "Ada"), ("keywords[]", "Babbage"))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "needs a uri"),
        ({"uri": ""}, "needs a uri"),
        ({"uri": 7}, "needs a uri"),
        ({"uri": "a\0b"}, "needs a uri"),
        ({"uri": "a", "id": ""}, "id is empty"),
        ({"uri": "a", "id": "x" * 2000}, "longer than 1024"),
        ({"uri": "a", "id": True}, "id is neither"),
        ({"uri": "a", "id": 1.5}, "id is neither"),
        ({"uri": "a", "duration": -1}, "duration"),
        ({"uri": "a", "duration": "2"}, "duration"),
        ({"uri": "a", "duration": float("nan")}, "duration"),
        ({"uri": "a", "duration": 10**400}, "duration"),
        ({"uri": "a", "offset": 3.5}, "offset"),
        ({"uri": "a", "options": []}, "options is no object"),
        ({"uri": "a", "options": {"beam": 5}}, "options has 'beam'"),
        ({"uri": "a", "options": {"keywords": "Ada"}}, "keywords"),
        ({"uri": "a", "options": {"prompt": {}}}, "prompt is neither"),
        ({"uri": "a", "language": "\udcff"}, "language is no text"),
    ],
)
def test_what_is_no_row_is_refused_in_words(members: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        row_of(members)
