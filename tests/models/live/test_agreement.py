"""Agreement over time, and the words of hypotheses."""

from __future__ import annotations

import pytest

from models.engine.decoding.sequence import Prefix
from models.live.agreement import Agreement, AgreementPolicy, agreed, policy_of
from models.live.hypotheses import Hypothesis, heard_words
from models.live.live_options import Delay
from models.live.settled_text import SettledText
from models.text.transcript import TokenScore

SECOND = 16_000
# A timestamp, and behind it a token for each piece of text.
STAMP = 50_364


def hypothesis(text: str, seconds: float, first: int = 0) -> Hypothesis:
    """A text of tokens that are separated by bars, half a second each."""
    pieces = text.split("|") if text else []
    scores = [None, *(TokenScore(piece.encode(), -0.1) for piece in pieces)]
    starts = [0.5 * number for number in range(len(pieces) + 1)]
    tokens = (STAMP, *(sum(piece.encode()) for piece in pieces))
    words = heard_words(scores, starts if pieces else (), first, "en")
    logprobs = (-0.1,) * len(tokens)
    return Hypothesis(round(seconds * SECOND), tokens, logprobs, tuple(scores), words)


def settled(text: SettledText, *hypotheses: Hypothesis) -> list[str]:
    """What each settles."""
    found = []
    for each in hypotheses:
        text.hear(each)
        found.append(text.take()[0])
    return found


def test_words_have_their_punctuation_behind_them() -> None:
    words = hypothesis(" Well|,| that| is|n't| it|.|\"", 4).words

    assert [word.text for word in words] == [" Well,", " that", " isn't", ' it."']
    assert [(word.stem, word.after) for word in words] == [(2, 3), (4, 4), (6, 6), (7, 9)]
    assert [word.key for word in words] == ["well", "that", "isn't", "it"]
    assert (words[0].start, words[0].end, words[-1].end) == (0, SECOND, 4 * SECOND)


@pytest.mark.parametrize(
    ("older", "newer", "place"),
    [
        ("", " And", 0),
        (" And", " And| so", 2),
        (" and| so", " And| so| my", 3),
        (" And| so|.", " And| so|,| my", 3),
        (" And| so|,| my", " And| so|,| my", 5),
        (" And| so|,| my", " And| so|,| your", 4),
        (" Ant", " And", 0),
    ],
)
def test_what_both_begin_with_is_agreed_but_for_the_last_punctuation(
    older: str, newer: str, place: int
) -> None:
    assert agreed(hypothesis(older, 1), hypothesis(newer, 2)) == place


def test_a_hypothesis_is_compared_with_one_that_is_old_enough() -> None:
    agreement = Agreement(AgreementPolicy(SECOND, SECOND // 2))
    texts = [" And", " And| so", " And| so| my", " And| so| my| old"]
    places = [agreement.add(hypothesis(text, 0.5 * n)) for n, text in enumerate(texts)]

    assert places == [0, 0, 2, 3]


@pytest.mark.parametrize(
    ("delay", "apart", "interval"),
    [("minimal", 0.5, 0.5), ("low", 1, 0.5), ("medium", 1, 1), ("high", 2, 1)],
)
def test_delays_are_times_between_hypotheses(delay: Delay, apart: float, interval: float) -> None:
    assert policy_of(delay) == AgreementPolicy(round(apart * SECOND), round(interval * SECOND))


def test_the_longest_delay_settles_nothing_before_the_end() -> None:
    assert policy_of("xhigh") is None


def test_text_is_settled_once_and_in_order() -> None:
    text = SettledText(AgreementPolicy(SECOND, SECOND))
    found = settled(
        text,
        hypothesis(" And", 1),
        hypothesis(" And| so", 2),
        hypothesis(" And| so|,| my", 3),
        hypothesis(" And| so|,| my| fellow", 4),
    )

    assert found == ["", "And", " so", ", my"]
    assert text.prefix.tokens == hypothesis(" And| so|,| my", 4).tokens
    assert (text.text, text.open_text) == ("And so, my", " fellow")
    assert "".join(each.data.decode() for each in text.logprobs).strip() == text.text


def test_a_character_of_several_tokens_is_told_whole() -> None:
    text = SettledText(AgreementPolicy(SECOND, SECOND))
    data = "ü".encode()
    scores = (None, TokenScore(b" M" + data[:1], -0.1), TokenScore(data[1:] + b"ll", -0.2))
    words = heard_words(scores, (0.0, 0.5, 1.0), 0, "de")
    text.hear(Hypothesis(SECOND, (STAMP, 1, 2), (0.0, -0.1, -0.2), scores, words))
    assert text.take() == ("", ())
    text.settle_all()

    told, tokens = text.take()
    assert told == "Müll"
    assert b"".join(each.data for each in tokens) == " Müll".encode()


def test_words_before_a_cut_are_history_and_those_behind_it_the_prefix() -> None:
    text = SettledText(AgreementPolicy(SECOND, SECOND))
    first = hypothesis(" And| so|,| my| fellow", 1)
    settled(text, first, hypothesis(" And| so|,| my| fellow", 2))
    text.cut(round(1.5 * SECOND))
    assert text.history == first.tokens[1:4]
    assert text.prefix == Prefix(first.tokens[4:], (-0.1,) * 2)

    # What is decoded next begins with a timestamp, and with these words.
    assert settled(text, hypothesis(" my| fellow| Americans", 3, first=round(1.5 * SECOND))) == [""]
    assert settled(text, hypothesis(" my| fellow| Americans", 4, first=round(1.5 * SECOND))) == [
        " Americans"
    ]
    assert text.text == "And so, my fellow Americans"


def test_words_behind_a_cut_agree_with_those_heard_before_it() -> None:
    text = SettledText(AgreementPolicy(SECOND, SECOND))
    settled(text, hypothesis(" And| so| my", 1), hypothesis(" And| so| my| old", 2))
    text.cut(SECOND)

    assert settled(text, hypothesis(" my| old| friend", 3, first=SECOND)) == [" old"]


def test_after_a_loop_nothing_is_told_again() -> None:
    text = SettledText(AgreementPolicy(SECOND, SECOND))
    settled(text, hypothesis(" And| so| my", 1), hypothesis(" And| so| my| old", 2))
    text.cut(SECOND)
    assert text.history
    text.forget()

    assert (text.history, text.open_text) == ((), "")
    assert settled(text, hypothesis(" my| old| friend", 3, first=SECOND)) == [""]


def test_all_that_is_final_is_settled() -> None:
    text = SettledText(AgreementPolicy(SECOND, SECOND))
    text.hear(hypothesis(" And| so|.", 1))
    text.settle_all()

    assert text.take(is_last=True)[0] == "And so."


def test_words_before_a_place_are_settled_where_more_sound_waits() -> None:
    text = SettledText(AgreementPolicy(SECOND, SECOND))
    text.hear(hypothesis(" And| so| my| old", 2))
    text.settle_until(round(1.6 * SECOND))

    assert text.take()[0] == "And so my"
    assert text.edges() == [SECOND // 2, SECOND, round(1.5 * SECOND)]
