"""Cuts of a turn's sound: behind settled words, in pauses, and where a text leaves speech out."""

from __future__ import annotations

from models.live.left_out import MAX_UNCOVERED, uncovered
from models.live.settled_text import SettledText
from models.live.spoken_spans import SpokenSpans
from models.live.turn_audio import TurnAudio
from models.units import SAMPLE_RATE

# Samples that a cut must free.
_FREED = 3 * SAMPLE_RATE
# Samples of a window of sound that comes faster than it is decoded, or of which nothing settles;
# before its end so many may be in the midst of a word.
_BACKLOG_WINDOW, _BACKLOG_EDGE = 20 * SAMPLE_RATE, SAMPLE_RATE
# Speech behind a text's end that is more than a breath, and by how much that end may be off.
_BREATH, _SLACK = SAMPLE_RATE, SAMPLE_RATE // 3
# Samples that a text has to have.
_SHORTEST_TEXT = SAMPLE_RATE // 2


class TurnCuts:
    """Cuts `audio`, of which `settled` is the text, and which is spoken where `speech` says.

    What lies before a cut is not decoded again. All places are in samples of the turn.
    """

    def __init__(self, audio: TurnAudio, speech: SpokenSpans, settled: SettledText) -> None:
        self._audio, self._speech, self._settled = audio, speech, settled

    def backlog_end(self, end: int) -> int:
        """The end of the next window of a backlog up to `end`: a pause, if there is a late one."""
        longest = min(end, self._audio.first + _BACKLOG_WINDOW)
        return self._speech.pause_in(self._audio.first + _BACKLOG_WINDOW // 2, longest) or longest

    def cut_backlog(self, end: int) -> None:
        """Settle the text of a window of a backlog, and cut at its end, a pause.

        In no pause, cut before its last second: that may end within a word.
        """
        if self._speech.pauses(end, end):
            self._settled.settle_all()
            self._cut(end)
            # A window that begins as a file does is told nothing, as that of a file.
            self._settled.history = ()
        else:
            self._settled.settle_until(end - _BACKLOG_EDGE)
            self._cut([end - _BACKLOG_EDGE, *self._edges()][-1])

    def cut_settled(self) -> None:
        """Cut behind settled words: in a pause there, or else behind the last of them."""
        edges = self._edges()
        if edges:
            self._cut(self._speech.pause_in(edges[0], edges[-1]) or edges[-1])

    def cut_left_out(self) -> int | None:
        """Cut where a text leaves out what is spoken before a word of it; the place of that word.

        None if it leaves out nothing.
        """
        begin = max(self._audio.first, self._settled.word_end)
        left_out = uncovered(self._settled.open_words, self._speech, begin)
        if left_out is None:
            return None
        self._settled.settle_until(left_out[0])
        self._cut(left_out[0])
        # Whisper leaves out sentences that are like those which it is told.
        self._settled.history = ()
        return left_out[1]

    def cut_at_end_of_text(self, text_end: int, end: int) -> bool:
        """Cut where the text up to `end` ends, if somebody speaks behind it; whether that is so.

        Whisper sometimes ends behind a sentence; with that as its prefix it does so again.
        """
        word_end = max((word.end for word in self._settled.open_words), default=text_end)
        is_off = self._speech.between(word_end, text_end) >= _BREATH
        if is_off and self._speech.between(word_end, end) > MAX_UNCOVERED:
            # Its last timestamp is where Whisper went on, a sentence or more later.
            text_end = word_end
        is_short = text_end - self._audio.first < _SHORTEST_TEXT
        if is_short or self._speech.between(text_end + _SLACK, end) < _BREATH:
            return False
        self._settled.settle_all()
        self._settled.cut(end)
        pause = self._speech.pause_in(text_end - _SLACK, text_end + _SLACK)
        self.drop_before(pause or text_end)
        return True

    def drop_before(self, place: int) -> None:
        """Forget the sound before a place."""
        self._audio.drop_before(place)
        self._speech.drop_before(place)

    def _edges(self) -> list[int]:
        return [edge for edge in self._settled.edges() if edge >= self._audio.first + _FREED]

    def _cut(self, place: int) -> None:
        self._settled.cut(place)
        self.drop_before(place)
