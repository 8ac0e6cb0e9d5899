"""Prompt tokens: prompts and keywords of any length, cut to the context."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from models.audio.mel import Mel
from models.checkpoints.catalogue import N_VOCAB_ENGLISH, N_VOCAB_MULTILINGUAL
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.engine import Engine
from models.errors import OptionError
from models.options import MAX_CHARACTERS, TranscribeOptions
from models.request_stats import RequestStats
from models.transcription.transcription_context import TranscriptionContext
from tests.tiny import TINY

ENGLISH = "And so, my fellow Americans: ask not what your country can do for you - "
JAPANESE = "吾輩は猫である名前はまだ無いどこで生れたかとんと見当がつかぬ"


class Watched(Vocabulary):
    """Notes how long a text it is given at most."""

    longest = 0

    def encode(self, text: str) -> tuple[int, ...]:
        """Text to tokens."""
        self.longest = max(self.longest, len(text))
        return super().encode(text)


@pytest.fixture(params=[N_VOCAB_ENGLISH, N_VOCAB_MULTILINGUAL], ids=["english", "multilingual"])
def vocabulary(request: pytest.FixtureRequest) -> Watched:
    """Each of openai-whisper's tokenizers."""
    return Watched(replace(TINY, n_vocab=request.param))


def context(vocabulary: Vocabulary, options: TranscribeOptions) -> TranscriptionContext:
    """A recording of which nothing is decoded."""
    return TranscriptionContext(
        cast(Engine, SimpleNamespace(vocabulary=vocabulary)), options, RequestStats()
    )


def carried(vocabulary: Vocabulary, options: TranscribeOptions) -> tuple[int, ...]:
    """The tokens that every window is decoded after."""
    silent = SimpleNamespace(window=lambda _: None, content=lambda _: 0)
    return context(vocabulary, options).window(cast(Mel, silent), 0, (), "en").previous


def history(vocabulary: Vocabulary, prompt: str) -> tuple[int, ...]:
    """The tokens of a prompt that the first window is decoded after."""
    tokens = context(vocabulary, TranscribeOptions(initial_prompt=prompt)).first_history()
    return tokens[-vocabulary.prompt_limit :]


@pytest.mark.parametrize("text", [ENGLISH, JAPANESE, ENGLISH + JAPANESE, "two  spaces\n\n"])
@pytest.mark.parametrize("characters", [100, MAX_CHARACTERS - 1, MAX_CHARACTERS, 40_000, 70_001])
def test_prompt_is_that_of_openai_whisper(vocabulary: Watched, text: str, characters: int) -> None:
    prompt = (text * characters)[:characters]
    whole = vocabulary.encode(" " + prompt.strip())

    assert history(vocabulary, prompt) == whole[-vocabulary.prompt_limit :]


def test_tail_of_a_prompt_has_room_for_the_longest_tokens(vocabulary: Watched) -> None:
    longest = max(len(vocabulary.decode([token])) for token in range(vocabulary.eot))

    assert vocabulary.prompt_limit * longest < MAX_CHARACTERS


@pytest.mark.parametrize("carried", [False, True])
@pytest.mark.parametrize("filling", [" ", "\n", "\u3000", "x", "a ", "😀", "9"])
def test_prompt_of_any_length(vocabulary: Watched, filling: str, carried: bool) -> None:
    prompt = f"The beginning{filling * 2_000_000}and the end."
    options = TranscribeOptions(initial_prompt=prompt, carry_initial_prompt=carried)
    told = context(vocabulary, options).first_history()

    assert 0 < vocabulary.longest <= MAX_CHARACTERS
    if not carried:
        assert vocabulary.decode(told).endswith("and the end.")


@pytest.mark.parametrize("count", [0, 1, 20, 2_000])
def test_keywords_that_need_not_all_fit(vocabulary: Watched, count: int) -> None:
    words = tuple(f"Kubernetes {number}" for number in range(count))
    told = carried(vocabulary, TranscribeOptions(keywords=words, trim_keywords=True))
    text = vocabulary.decode(told)

    assert len(told) <= vocabulary.prompt_limit // 2
    kept = text.strip(" .").split(", ") if text else []
    assert tuple(kept) == words[: len(kept)]
    # As many as fit: one more would be too many.
    more = words[: len(kept) + 1]
    assert len(kept) == count or len(vocabulary.encode(f" {', '.join(more)}.")) > 47


def test_keyword_that_does_not_fit_alone(vocabulary: Watched) -> None:
    options = TranscribeOptions(keywords=("x" * 2_000_000, "Kubernetes"), trim_keywords=True)

    assert carried(vocabulary, options) == ()
    assert vocabulary.longest == 0


@pytest.mark.parametrize(
    ("keywords", "measured"),
    [
        (("x" * 2_000_000,), "2000000 characters, and 47 tokens fit"),
        ((f"a{' ' * 2_000_000}b",), "2000002 characters, and 47 tokens fit"),
        (("Kubernetes",) * 2_000, "23998 characters, and 47 tokens fit"),
    ],
)
def test_keywords_are_measured_before_they_are_read(
    vocabulary: Watched, keywords: tuple[str, ...], measured: str
) -> None:
    with pytest.raises(OptionError, match=f"^keywords are too long: {measured}") as caught:
        context(vocabulary, TranscribeOptions(keywords=keywords))

    assert caught.value.option == "keywords"
    assert vocabulary.longest == 0


@pytest.mark.parametrize("carried", [False, True])
def test_tokens_of_prompt_and_keywords_are_counted(vocabulary: Watched, carried: bool) -> None:
    options = TranscribeOptions(
        initial_prompt="My fellow Americans", carry_initial_prompt=carried, keywords=("Kennedy",)
    )
    told = [*vocabulary.encode(" Kennedy."), *vocabulary.encode(" My fellow Americans")]

    assert context(vocabulary, options).stats.prompt_tokens == len(told)
    assert context(vocabulary, TranscribeOptions()).stats.prompt_tokens == 0


def test_tokens_that_do_not_fit_are_not_counted(vocabulary: Watched) -> None:
    long = context(vocabulary, TranscribeOptions(initial_prompt=ENGLISH * 100))

    assert long.stats.prompt_tokens == vocabulary.prompt_limit
