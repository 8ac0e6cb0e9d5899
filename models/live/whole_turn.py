"""One turn that is transcribed when it is over, as a file of its samples is."""

from __future__ import annotations

from models.live.live_options import LiveOptions
from models.live.pcm import Pcm
from models.live.spoken_spans import SpokenSpans
from models.live.turn_audio import TurnAudio
from models.units import SAMPLE_RATE

# Samples of a turn that are one file: 5 minutes, 10 MB. Above 30 s a file's windows are cut in
# pauses and decoded side by side, so that one that is cut in a pause has the text of the whole.
PART_LENGTH = 300 * SAMPLE_RATE


class WholeTurn:
    """A turn's samples; of one that is longer than a part the parts that are over are not kept."""

    def __init__(self, number: int, options: LiveOptions) -> None:
        self.number, self.options = number, options
        self.audio, self.speech = TurnAudio(), SpokenSpans()
        self.is_paused = self.is_committed = False

    def append(self, samples: Pcm, *, is_speech: bool) -> None:
        """The next samples."""
        self.audio.append(samples)
        if is_speech:
            self.speech.add(self.audio.end - len(samples), self.audio.end)

    @property
    def is_final(self) -> bool:
        """True if nothing is left to transcribe."""
        return self.is_committed and not self.audio.length

    def next_part(self) -> int | None:
        """The end of the next file, in samples of the turn; None: it is not over yet."""
        longest = self.audio.first + PART_LENGTH
        if self.audio.end > longest:
            pause = self.speech.pause_in(self.audio.first + PART_LENGTH // 2, longest)
            # Speech may come in place of a long silence: none of that is in a part.
            return pause or min(longest, self.speech.tail_end)
        return self.audio.end if self.is_committed and self.audio.length else None

    def drop_before(self, place: int) -> None:
        """Forget a part that has been transcribed."""
        self.audio.drop_before(place)
        self.speech.drop_before(place)
