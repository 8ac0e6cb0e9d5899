"""The door's lock: any other key than those that are known is refused, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.keys import KeyRing, key_digest

VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
KEYS = st.text(VISIBLE, min_size=8, max_size=40)


@given(known=st.lists(KEYS, min_size=1, max_size=4, unique=True), other=st.text(max_size=50))
def test_any_text_that_is_no_key_is_refused(known: list[str], other: str) -> None:
    assume(other not in known)

    assert KeyRing([key_digest(key) for key in known]).name_of(other) is None


@given(key=KEYS, data=st.data())
def test_key_with_one_character_changed_added_or_lost_is_refused(
    key: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(key) - 1))
    character = data.draw(st.characters(codec="utf-8"))
    others = {
        key[:place] + character + key[place + 1 :],
        key[:place] + character + key[place:],
        key[:place] + key[place + 1 :],
        key + character,
        key.swapcase(),
    }

    ring = KeyRing([key_digest(key)])
    assert {ring.name_of(other) for other in others - {key}} <= {None}
    assert ring.name_of(key) == "key-1"


@given(known=st.lists(KEYS, min_size=1, max_size=6, unique=True), data=st.data())
def test_each_key_has_its_own_name(known: list[str], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(known) - 1))

    ring = KeyRing([key_digest(key) for key in known])
    assert ring.name_of(known[number]) == f"key-{number + 1}"


@pytest.mark.parametrize("length", [0, 1, 7])
def test_key_of_fewer_than_eight_characters_is_none(length: int) -> None:
    with pytest.raises(ValueError, match="not a key"):
        key_digest("k" * length)


def test_key_of_eight_characters_is_one() -> None:
    assert KeyRing([key_digest("k" * 8)]).name_of("k" * 8) == "key-1"


@given(key=KEYS, place=st.integers(0, 40), other=st.characters(max_codepoint=0x2FF))
def test_key_with_a_character_that_is_not_seen_is_none(key: str, place: int, other: str) -> None:
    assume(not "!" <= other <= "~")

    with pytest.raises(ValueError, match="not a key"):
        key_digest(key[:place] + other + key[place:])
