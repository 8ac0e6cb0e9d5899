"""Turns that go on with the one before: what they hear of it again, and what they never tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from weakref import ref

import pytest

from models.engine.decoding.sequence import Prefix
from models.live.last_turn import LastTurn
from models.live.live_options import LiveOptions
from models.live.live_turn import Decoding, LiveTurn
from models.live.turn_context import CONTEXT_LENGTH
from models.live.whole_turn import WholeTurn
from models.options import TranscribeOptions
from models.text.transcript import TokenScore
from models.transcription.live_window import LiveText, LiveWindow
from tests.models.live.scripted_turns import MEDIUM, SECOND, hear, numbered, speak, text
from tests.models.live.speaking import ENGLISH, Models, Script, options, said, silence, speaker

DETECTED = options(transcription=TranscribeOptions())


def said_turn(*words: str, live: LiveOptions | None = None, logprob: float = -0.1) -> LiveTurn:
    """A turn of these words that is over."""
    turn = LiveTurn(0, live or options(), MEDIUM)
    heard = text(*words)
    scores = [replace(score, logprob=logprob) if score else None for score in heard.scores]
    say(turn, replace(heard, scores=tuple(scores)), len(words) / 2)
    return turn


def say(turn: LiveTurn, heard: LiveText, seconds: float) -> None:
    """Speak for so long, which is heard at the end of the turn as this."""
    speak(turn, seconds)
    turn.is_committed = True
    hear(turn, heard)
    turn.settled.settle_all()
    turn.close()


def next_turn(before: LiveTurn, seconds: float = 1, live: LiveOptions | None = None) -> LiveTurn:
    turn = LiveTurn(1, live or options(), MEDIUM)
    turn.follow(before)
    speak(turn, seconds)
    return turn


def asked(turn: LiveTurn, now: float = 0.0) -> LiveWindow:
    """The window that is decoded next."""
    decoding = turn.next_decoding(now)
    assert isinstance(decoding, Decoding)
    turn.begin(decoding, now)
    return turn.window(decoding)


def test_a_turn_hears_the_end_of_the_one_before_again_and_does_not_tell_it() -> None:
    turn = next_turn(said_turn("a", "b", "c", "d"))
    window = asked(turn)
    assert (len(window.samples), window.speech_seconds) == (3 * SECOND, 3.0)
    assert window.prefix.tokens == text("a", "b", "c", "d").tokens[1:]

    turn.is_committed = True
    hear(turn, text("a", "b", "c", "d", "e", "f"), now=1)
    turn.settled.settle_all()
    told, tokens = turn.settled.take(is_last=True)
    assert (told, len(tokens)) == ("e f", 2)
    assert (turn.audio.end, turn.settled.word_end) == (SECOND, SECOND)


def test_words_agree_behind_those_of_the_turn_before() -> None:
    turn = next_turn(said_turn("a", "b"))
    hear(turn, text("a", "b", "c", "d"))
    speak(turn, 1)
    hear(turn, text("a", "b", "c", "d", "e"), now=1)

    assert turn.settled.take()[0] == "c d"


def test_no_more_is_heard_again_than_the_last_seconds_from_a_word_on() -> None:
    before = said_turn(*numbered(24))
    assert before.context
    assert len(before.context.samples) <= CONTEXT_LENGTH
    assert before.context.prefix.tokens == text(*numbered(24)).tokens[-6:]

    turn = LiveTurn(1, options(), MEDIUM)
    turn.follow(before)
    say(turn, text(*numbered(24)[-6:], "x", "y"), 1)
    assert turn.context
    assert turn.context.prefix.tokens == text(*numbered(24)[-4:], "x", "y").tokens[1:]
    assert (before.audio.length, turn.audio.length) == (0, 0)


def test_the_silence_behind_the_turn_before_is_no_speech() -> None:
    before = LiveTurn(0, options(), MEDIUM)
    speak(before, 2)
    speak(before, 0.5, is_speech=False)
    say(before, text("a", "b", "c", "d"), 0)
    window = asked(next_turn(before))

    assert len(window.samples) == round(3.3 * SECOND)
    assert window.speech_seconds == 3.0


def test_a_comma_behind_the_turn_before_is_not_told() -> None:
    turn = next_turn(said_turn("a", "b"))
    heard = text("a", "b", "c")
    comma = TokenScore(b",", -0.1)
    scores = (*heard.scores[:3], comma, heard.scores[3])
    tokens, logprobs = (*heard.tokens[:3], 44, heard.tokens[3]), (-0.1,) * 5
    turn.is_committed = True
    starts = (*heard.starts[:3], 1.0, 1.5)
    hear(turn, replace(heard, tokens=tokens, logprobs=logprobs, scores=scores, starts=starts))
    turn.settled.settle_all()

    told, told_tokens = turn.settled.take(is_last=True)
    assert told == "c"
    assert "".join(each.data.decode() for each in told_tokens).strip() == "c"


@pytest.mark.parametrize(
    "odd", [text("a", "b"), text("a", "b", *["b"] * 6, is_loop=True)], ids=["empty", "loop"]
)
def test_a_final_without_own_words_or_with_a_loop_is_decoded_again_by_itself(
    odd: LiveText,
) -> None:
    turn = next_turn(said_turn("a", "b"))
    turn.is_committed = True
    hear(turn, odd)
    assert not turn.is_final

    window = asked(turn)
    assert (len(window.samples), window.prefix, window.history) == (SECOND, Prefix(), ())
    hear(turn, text("c", "d"), now=1)
    turn.settled.settle_all()
    assert turn.is_final
    assert turn.settled.take(is_last=True)[0] == "c d"


def test_after_a_loop_in_an_update_the_turn_is_heard_by_itself() -> None:
    turn = next_turn(said_turn("a", "b"))
    hear(turn, text("a", "b", "b", "b", is_loop=True))
    speak(turn, 1)

    assert asked(turn, 10).prefix == Prefix()


def test_what_is_in_doubt_is_no_context() -> None:
    assert said_turn("a", "b").context
    assert said_turn("a", "b", logprob=-1.0).context is None
    assert said_turn().context is None

    looped = LiveTurn(0, options(), MEDIUM)
    say(looped, text("a", "b", "b", "b", is_loop=True), 1)
    assert looped.context is None


def test_a_turn_does_not_wait_for_the_one_before() -> None:
    before = LiveTurn(0, options(), MEDIUM)
    speak(before, 1)
    turn = next_turn(before)
    assert asked(turn).prefix == Prefix()
    say(before, text("a", "b"), 0)
    speak(turn, 1)

    assert asked(turn, 10).prefix == Prefix()


@pytest.mark.parametrize(("language", "is_followed"), [("en", True), ("de", False)])
def test_where_languages_are_detected_a_turn_follows_one_in_its_own(
    language: str, *, is_followed: bool
) -> None:
    turn = next_turn(said_turn("a", "b", live=DETECTED), live=DETECTED)
    hear(turn, replace(text("c"), language="en"))
    speak(turn, 1)
    # One second of speech does not tell a language.
    assert asked(turn, 10).prefix == Prefix()
    turn.hear(Decoding(2 * SECOND), replace(text("x"), language=language), 11)
    speak(turn, 1)
    window = asked(turn, 20)

    assert window.language == language
    assert (len(window.prefix.tokens) == 2) == is_followed


def follows(last: LastTurn, live: LiveOptions | None = None, start: int = SECOND) -> bool:
    """True if a turn that begins there goes on with the last one."""
    turn = LiveTurn(1, live or options(), MEDIUM)
    last.precede(turn, start)
    speak(turn, 1)
    return bool(asked(turn).prefix.tokens)


@pytest.mark.parametrize(
    ("live", "start", "is_followed"),
    [
        (options(), SECOND, True),
        (options(), 4 * SECOND, True),
        (options(), 5 * SECOND, False),
        (options(model="other"), SECOND, False),
        (options(transcription=replace(ENGLISH, keywords=("x",))), SECOND, False),
        (options(transcription=replace(ENGLISH, initial_prompt="x")), SECOND, False),
        (options(transcription=replace(ENGLISH, language="de")), SECOND, False),
        (options(turn_detection=None), SECOND, True),
    ],
)
def test_what_begins_soon_under_the_same_options_follows(
    live: LiveOptions, start: int, *, is_followed: bool
) -> None:
    last = LastTurn()
    last.commit(said_turn("a", "b"), SECOND)
    assert follows(last, live, start) == is_followed
    assert not follows(last)


def test_nothing_follows_what_is_forgotten_or_told_whole() -> None:
    last = LastTurn()
    last.commit(said_turn("a", "b"), SECOND)
    last.forget()
    assert not follows(last)

    last.commit(said_turn("a", "b"), SECOND)
    last.commit(WholeTurn(1, options()), SECOND)
    assert not follows(last)

    last.commit(said_turn("a", "b"), SECOND)
    last.precede(WholeTurn(1, options()), SECOND)
    assert not follows(last)


@pytest.mark.parametrize("between", ["nothing", "clear", "prompt"])
def test_a_session_forgets_the_last_turn_where_it_is_told_to(between: str) -> None:
    script = Script()

    async def talk() -> None:
        async with speaker(Models(m=script), options()) as speaking:
            await speaking.say(said(0, 2.3), silence(0.5))
            if between == "clear":
                speaking.session.clear()
            if between == "prompt":
                prompted = replace(ENGLISH, initial_prompt="Kennedy")
                speaking.session.configure(options(transcription=prompted))
            await speaking.say(said(3, 5), silence(0.5))
            await speaking.finish()

    asyncio.run(asyncio.wait_for(talk(), 120))
    first, last = script.windows[0], script.windows[-1]
    assert not first.prefix.tokens
    assert (len(last.samples) > 3 * SECOND) == (between == "nothing")


def test_a_silent_session_keeps_nothing_of_its_last_turn() -> None:
    turn = said_turn("a", "b")
    last, kept = LastTurn(), ref(turn)
    last.commit(turn, SECOND)
    del turn
    last.hear(7 * SECOND)
    assert kept()
    last.hear(7 * SECOND + 1)

    assert kept() is None


def test_turns_that_wait_do_not_keep_all_before_them() -> None:
    turns = [LiveTurn(n, options(), MEDIUM) for n in range(4)]
    last = LastTurn()
    for turn in turns:
        last.precede(turn, 0)
        last.commit(turn, 0)

    assert [turn._before for turn in turns] == [None, None, None, turns[2]]  # noqa: SLF001


def test_a_turn_that_has_been_cut_is_heard_by_itself() -> None:
    turn = LiveTurn(1, DETECTED, MEDIUM)
    turn.follow(said_turn("a", "b", "c", "d", live=DETECTED))
    # Music, of which there is no text, longer than is decoded at once.
    speak(turn, 18)
    hear(turn, text())
    speak(turn, 3)
    window = asked(turn, 60)

    assert turn.audio.first > 0
    assert window.prefix.tokens == ()
    assert len(window.samples) == turn.audio.length
