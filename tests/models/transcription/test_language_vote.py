"""The language of a recording, from those of its windows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from models.transcription.language_vote import LanguageVote, most_probable

GERMAN = {"en": 0.04, "de": 0.95, "fr": 0.01}
ENGLISH = {"en": 0.97, "de": 0.02, "fr": 0.01}
UNSURE = {"en": 0.5, "de": 0.4, "fr": 0.1}


def choosing(choice: LanguageVote, *, is_short: bool = False) -> Callable[..., str]:
    choose = choice.choice(is_short=is_short)
    assert not isinstance(choose, str)
    return choose


def test_most_probable_among_some() -> None:
    assert most_probable(ENGLISH) == "en"
    assert most_probable(ENGLISH, ["fr", "de"]) == "de"


def test_given_language_is_asked_of_nobody() -> None:
    async def run() -> None:
        choice = LanguageVote("fr", ())
        assert (choice.language, choice.windows) == ("fr", None)
        assert choice.choice(is_short=False) == "fr"

    asyncio.run(run())


def test_language_is_the_mean_of_the_first_windows() -> None:
    async def run() -> None:
        choice = LanguageVote(None, (), windows=3)
        own = [choosing(choice)(probs) for probs in (GERMAN, UNSURE, UNSURE)]
        assert own == ["de", "en", "en"]
        assert choice.windows == 3
        assert await choice.settled == "de"
        assert choice.windows is None

    asyncio.run(run())


def test_language_is_settled_by_fewer_windows_where_there_are_no_more() -> None:
    async def run() -> None:
        choice = LanguageVote(None, (), windows=4)
        choosing(choice)(ENGLISH)
        choice.limit_windows(1)
        assert await choice.settled == "en"

    asyncio.run(run())


def test_language_is_one_of_those_that_may_be_spoken() -> None:
    async def run() -> None:
        choice = LanguageVote(None, ["de", "fr"], windows=1)
        assert choosing(choice)(ENGLISH) == "de"
        assert await choice.settled == "de"

    asyncio.run(run())


def test_later_window_must_be_sure_to_be_in_another_language() -> None:
    async def run() -> None:
        choice = LanguageVote(None, (), windows=1)
        choosing(choice)(GERMAN)
        await choice.settled
        assert choosing(choice)(UNSURE) == "de"
        assert choosing(choice)(ENGLISH) == "en"
        assert choice.choice(is_short=True) == "de"

    asyncio.run(run())
