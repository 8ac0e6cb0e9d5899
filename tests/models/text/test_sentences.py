"""Where a sentence is finished."""

from __future__ import annotations

import pytest

from models.text.sentences import ends_sentence, last_mark

# The Devanagari, Arabic, Urdu, Ethiopic, Armenian and full-width marks are meant.
FINISHED = [
    " It is. ",
    "Is it?",
    "He said: \u201cIt is.\u201d",
    "(It is!)",
    "\u5b83\u662f\u3002",
    "\u5b83\u662f\u3002\u300d",
    "\u5b83\u662f\uff1f",
    "\u092f\u0939 \u0939\u0948\u0964",
    "\u0647\u0644 \u0647\u0648\u061f",
    "\u06cc\u06c1 \u06c1\u06d2\u06d4",
    "\u12ed\u1205 \u1290\u12cd\u1362",
]
OPEN = ["", " ", "It is", "It is,", "It is...", "It is\u2026", "It is...\u201d", "(it)", '"']


@pytest.mark.parametrize("text", FINISHED)
def test_a_sentence_is_finished_behind_its_mark_and_what_closes_it(text: str) -> None:
    assert ends_sentence(text)


@pytest.mark.parametrize("text", OPEN)
def test_a_sentence_without_its_mark_goes_on(text: str) -> None:
    assert not ends_sentence(text)


def test_the_last_mark_is_that_of_what_is_enclosed() -> None:
    assert (last_mark("(It is!)"), last_mark("so,"), last_mark("")) == ("!", ",", "")
