"""Tests of client secrets: what they carry, and when they are not good."""

from __future__ import annotations

import pytest

from api.client_secrets import PREFIX, ClientSecret, ClientSecrets

SESSION = {"audio": {"input": {"turn_detection": None}}}


class Clock:
    """A clock that is set by hand."""

    now = 1000.5

    def __call__(self) -> float:
        return self.now


def test_a_secret_carries_what_it_stands_for_until_its_end() -> None:
    clock = Clock()
    secrets = ClientSecrets(b"k" * 32, clock)
    value, expires_at = secrets.make("key-1", SESSION, 60)

    assert expires_at == 1060
    clock.now = 1059.9
    assert secrets.find(value) == ClientSecret("key-1", SESSION, 1060)
    clock.now = 1060
    assert secrets.find(value) is None


def test_those_of_another_start_are_unknown() -> None:
    value, _ = ClientSecrets(b"k" * 32).make("key-1", {}, 60)

    assert ClientSecrets(b"k" * 32).find(value)
    assert ClientSecrets(b"l" * 32).find(value) is None


def test_a_changed_secret_is_unknown() -> None:
    secrets = ClientSecrets(b"k" * 32)
    value, _ = secrets.make("key-1", SESSION, 60)

    for place in range(len(PREFIX), len(value) - 1):
        other = "A" if value[place] != "A" else "B"
        assert secrets.find(value[:place] + other + value[place + 1 :]) is None


@pytest.mark.parametrize("value", ["", "ek_", "ek_%", "ek_é", "ek_a", "ek_" + "A" * 6000, "\0"])
def test_what_is_no_secret_is_unknown(value: str) -> None:
    assert ClientSecrets(b"k" * 32).find(value) is None


def test_a_secret_may_stand_in_a_header_and_in_a_sub_protocol() -> None:
    value, _ = ClientSecrets(b"k" * 32).make("key-1", {"prompt": "Ünïcode"}, 60)

    assert value.isascii()
    assert not set(value) & set(',;"()<>@/[]?={} ')
