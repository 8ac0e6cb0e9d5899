"""One turn: its sound, where it is spoken, and what is to be decoded of it next (no engine)."""

from __future__ import annotations

from dataclasses import dataclass

from models.engine.decoding.sequence import Prefix
from models.live.agreement import AgreementPolicy
from models.live.cadence import Cadence
from models.live.hypotheses import Hypothesis, heard_words
from models.live.live_options import LiveOptions
from models.live.pcm import Pcm
from models.live.settled_text import SettledText
from models.live.spoken_spans import SpokenSpans
from models.live.turn_audio import TurnAudio
from models.live.turn_context import TurnContext, context_of
from models.live.turn_cuts import TurnCuts
from models.transcription.live_window import LiveText, LiveWindow
from models.units import SAMPLE_RATE

# Samples that are decoded again and again, at most, until they are cut.
CUT_LENGTH = 10 * SAMPLE_RATE
# Samples from which on they are a backlog: they come faster than they are decoded, or nothing
# settles. Its windows are decoded once.
BACKLOG_LENGTH = 16 * SAMPLE_RATE
# Speech that tells one language from another.
_TELLING = 2 * SAMPLE_RATE


@dataclass(frozen=True)
class Decoding:
    """A window to decode: the turn's kept samples up to `end`.

    One that `is_final` has the turn's last word unless somebody goes on speaking; one `in_backlog`
    has more sound behind it, which is decoded next.
    """

    end: int
    is_final: bool = False
    in_backlog: bool = False


class LiveTurn:
    """A turn whose text settles while it is spoken, as `policy` says."""

    def __init__(self, number: int, options: LiveOptions, policy: AgreementPolicy) -> None:
        self.number, self.options, self.policy = number, options, policy
        self.audio, self.speech = TurnAudio(), SpokenSpans()
        self.settled = SettledText(policy)
        self._cuts = TurnCuts(self.audio, self.speech, self.settled)
        self.is_paused = self.is_committed = False
        self.language = options.transcription.language
        self._newest_language = ""
        self._cadence, self._finals = Cadence(), Cadence()
        self._heard = 0
        # The place up to which a final text has been decoded.
        self._final_end = -1
        self._has_looped = False
        # Where speech ends that the text before has left out: it is decoded by itself.
        self._left_out_end: int | None = None
        # The turn before, until it is known if this one goes on with it; and what the next one may.
        self._before: LiveTurn | None = None
        self.context: TurnContext | None = None

    def append(self, samples: Pcm, *, is_speech: bool) -> None:
        """The next samples."""
        self.audio.append(samples)
        if is_speech:
            self.speech.add(self.audio.end - len(samples), self.audio.end)

    @property
    def is_final(self) -> bool:
        """True if the newest text is that of all that was said."""
        return self._final_end >= self.speech.end and self._final_end >= 0

    def next_decoding(self, now: float) -> Decoding | float | None:
        """What is to be decoded now, or the seconds until then; None: more has to be said first."""
        if self._left_out_end is not None:
            return Decoding(self._left_out_end, in_backlog=True)
        # Of a long silence no more is decoded than is kept: speech may come in place of the rest.
        end = min(self.audio.end, self.speech.tail_end)
        if end - self.audio.first > BACKLOG_LENGTH:
            return Decoding(self._cuts.backlog_end(end), in_backlog=True)
        if self.is_final:
            return None
        if self.is_committed:
            return Decoding(end, is_final=True)
        if self.is_paused:
            wait = self._finals.next_at - now
            return wait if wait > 0 else Decoding(end, is_final=True)
        if end - self._heard < self.policy.interval:
            return None
        wait = self._cadence.next_at - now
        return wait if wait > 0 else Decoding(end)

    def is_superseded(self, decoding: Decoding, now: float) -> bool:
        """True if a text is not worth waiting for: a final one is to be begun now.

        A final that new speech has overtaken is waited for nevertheless: where the engine is slow,
        there would be no text at all.
        """
        if decoding.in_backlog:
            return False
        if self.is_committed:
            return not (decoding.is_final and decoding.end >= self.speech.end)
        return self.is_paused and not decoding.is_final and self._finals.next_at <= now

    def window(self, decoding: Decoding) -> LiveWindow:
        """What the model is asked."""
        seconds = self.speech.between(self.audio.first, decoding.end) / SAMPLE_RATE
        return LiveWindow(
            samples=self.audio.samples(decoding.end),
            options=self.options.transcription,
            language=self.language,
            history=self.settled.history,
            prefix=self.settled.prefix,
            speech_seconds=seconds,
            is_final=decoding.is_final or decoding.in_backlog,
        )

    def follow(self, before: LiveTurn) -> None:
        """Go on with the end of the turn before, if it is known once this one is decoded."""
        # A turn that waits so long that it has a successor goes without.
        self._before, before._before = before, None

    def close(self) -> None:
        """Keep nothing but what the next turn may go on with: all is settled."""
        if not self._has_looped:
            self.context = context_of(self.audio, self.speech, self.settled)
        self.audio.drop_before(self.audio.end)

    def _take_context(self) -> None:
        """Hear the end of the turn before again, once this one is known to be in its language."""
        before = self._before
        context = before.context if before and not self.settled.logprobs else None
        if self.audio.first > 0:
            # It has been cut: what lies before is no longer its neighbour.
            context = None
        if self.language or not context:
            self._before = None
        if before and context and self.language == before.heard_language:
            self.audio.put_before(context.samples)
            self.speech.put_before(context.speech)
            self.settled.begin_behind(context.prefix)

    def _leave_context(self) -> bool:
        """Hear the turn by itself, unless words of it are settled; True if that is new."""
        if self.audio.first >= 0 or self.settled.logprobs:
            return False
        self.settled.begin_behind(Prefix())
        self._cuts.drop_before(0)
        return True

    def begin(self, decoding: Decoding, now: float) -> None:
        """Note that a window is being decoded."""
        self._take_context()
        (self._finals if decoding.is_final else self._cadence).begin(now)

    def hear(self, decoding: Decoding, text: LiveText, now: float) -> None:
        """Take the text of a window."""
        (self._finals if decoding.is_final else self._cadence).end(now)
        self._heard = decoding.end
        self._has_looped |= text.is_loop
        is_update = not (decoding.is_final or decoding.in_backlog)
        if text.is_loop and is_update:
            self.settled.forget()
            self._leave_context()
            return
        self.settled.hear(self._hypothesis(decoding, text))
        # Behind another turn's words Whisper sometimes says nothing, or too much.
        is_odd = text.is_loop or not self.settled.open_text
        if is_odd and not is_update and self._leave_context():
            return
        self._keep_language(decoding, text)
        if not is_update and self._leaves_out():
            return
        if self._goes_on_behind(decoding, text):
            return
        if decoding.is_final:
            self._final_end = decoding.end
        if decoding.in_backlog:
            self._cuts.cut_backlog(decoding.end)
        elif self.audio.length > CUT_LENGTH and not self.is_final:
            self._cuts.cut_settled()
        if text.is_loop:
            self.settled.history = ()

    def _hypothesis(self, decoding: Decoding, text: LiveText) -> Hypothesis:
        words = heard_words(text.scores, text.starts, self.audio.first, text.language)
        return Hypothesis(decoding.end, text.tokens, text.logprobs, text.scores, words)

    @property
    def heard_language(self) -> str:
        """The language of its text as far as that is heard; empty: there is no text."""
        return self.language or self._newest_language

    def _keep_language(self, decoding: Decoding, text: LiveText) -> None:
        """A language is the turn's once much is spoken in it, or some of its text is settled."""
        self._newest_language = text.language if any(text.scores) else ""
        telling = self.speech.between(self.audio.first, decoding.end) >= _TELLING
        if telling or self.settled.logprobs or decoding.in_backlog:
            self.language = text.language

    def _leaves_out(self) -> bool:
        """Cut where a text leaves out what is spoken: that is decoded next, and then the rest."""
        # Of such a part all is taken that there is: it may be no speech.
        is_left_out = self._left_out_end is not None
        self._left_out_end = None if is_left_out else self._cuts.cut_left_out()
        return self._left_out_end is not None

    def _goes_on_behind(self, decoding: Decoding, text: LiveText) -> bool:
        """Cut where a text ends though somebody speaks behind it: that is decoded next."""
        has_ended = decoding.is_final or decoding.in_backlog or not self.settled.open_text
        end = self.audio.first + round(text.end * SAMPLE_RATE)
        return has_ended and self._cuts.cut_at_end_of_text(end, decoding.end)
