"""Transcription options of a request, in openai-whisper's own names and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.audio_options import MIX, ReadOptions
from models.errors import OptionError
from models.language.languages import LANGUAGES, Script

Task = Literal["transcribe", "translate"]
Strategy = Literal["auto", "sequential", "parallel"]
WordTimes = Literal["heard", "openai"]
# Quality flags of a segment: see `TranscribeOptions`.
Flag = Literal["low_logprob", "repetition", "no_speech"]

# More padding than that would leave little of a window of 30 s for the speech.
MAX_VOICE_MS = 5_000
# What is tokenised of a prompt: more than the 223 tokens that count can be, the longest of which
# has 66 characters, lest the cut shows in them.
MAX_CHARACTERS = 16 * 1024
FALLBACK_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class VoiceOptions:
    """Voice activity detection, in the words and with the defaults of OpenAI's `server_vad`.

    A frame is speech from the probability `threshold` on. `prefix_padding_ms` of the pause stays
    around what is said, pauses under `silence_duration_ms` do not end a span, and spans under
    `min_speech_duration_ms` are noise.

    Raises:
        OptionError: a value cannot be served; it names the option.
    """

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 200
    min_speech_duration_ms: int = 100

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise OptionError(
                "threshold",
                f"threshold must be from 0 to 1, not {self.threshold:g}.",
            )
        for name in ("prefix_padding_ms", "silence_duration_ms", "min_speech_duration_ms"):
            value = getattr(self, name)
            if not 0 <= value <= MAX_VOICE_MS:
                raise OptionError(name, f"{name} must lie in 0..{MAX_VOICE_MS}, not {value}.")


@dataclass(frozen=True)
class TranscribeOptions:
    """Options of one request.

    Names, meaning and defaults are those of `whisper.transcribe` (openai-whisper,
    `whisper/transcribe.py`), except that `condition_on_previous_text` is off: windows of one
    recording stay independent. `strategy` sequential is `whisper.transcribe`'s loop, where each
    window starts as the text before it ended; parallel finds the speech, as `voice` says, and
    decodes its windows side by side; auto is parallel for recordings that one window does not
    hold, unless `condition_on_previous_text` asks for one after the other.

    Segments are flagged: `no_speech`, nobody speaks then, as far as `voice` and the decoder can
    tell; `low_logprob` and `repetition`, their window was below or above openai-whisper's
    thresholds at every temperature, or ended in a loop. What repeats itself at a window's end is
    cut to one time where that is more than `loop_threshold` times in a second of the speech there;
    None cuts nothing. Those with a flag in `drop` are left out, as is all text of a window that
    was below `drop_logprob_threshold` at some temperature, and is perhaps without speech: noise
    makes Whisper say such things.

    `initial_prompt` is for the first window, or for each with `carry_initial_prompt`; `keywords`
    are words to expect in any, which must all fit unless `trim_keywords` leaves out the last ones.
    `language` None asks for detection, among `languages` if there are any. Text of a language that
    has several scripts is in the one of `scripts`, or in the most frequent. `word_timestamps` gives
    each word its times: as openai-whisper finds them if `word_times` is openai; if heard, moved to
    where the word is heard, and then words begin `lead_in` seconds earlier where there is a pause
    before them. `reading` says which sound of the file it is. What `is_job` is of a background job,
    which nobody waits for: its windows go behind all others'.

    Raises:
        OptionError: a value cannot be served; it names the option.
    """

    task: Task = "transcribe"
    language: str | None = None
    initial_prompt: str | None = None
    temperature: tuple[float, ...] = FALLBACK_TEMPERATURES
    compression_ratio_threshold: float | None = 2.4
    logprob_threshold: float | None = -1.0
    no_speech_threshold: float | None = 0.6
    drop_logprob_threshold: float | None = -2.5
    loop_threshold: float | None = 5.0
    drop: frozenset[Flag] = frozenset({"no_speech"})
    condition_on_previous_text: bool = False
    carry_initial_prompt: bool = False
    keywords: tuple[str, ...] = ()
    trim_keywords: bool = False
    languages: tuple[str, ...] = ()
    scripts: tuple[Script, ...] = ()
    strategy: Strategy = "auto"
    voice: VoiceOptions = VoiceOptions()
    word_timestamps: bool = False
    word_times: WordTimes = "heard"
    lead_in: float = 0.0
    reading: ReadOptions = MIX
    is_job: bool = False

    def __post_init__(self) -> None:
        if self.task not in ("transcribe", "translate"):
            raise OptionError("task", f"task must be transcribe or translate, not {self.task!r}.")
        if self.strategy not in ("auto", "sequential", "parallel"):
            raise OptionError(
                "strategy", f"strategy must be auto, sequential or parallel, not {self.strategy!r}."
            )
        if self.strategy == "parallel" and self.condition_on_previous_text:
            raise OptionError(
                "condition_on_previous_text",
                "condition_on_previous_text needs the sequential strategy: windows decoded side "
                "by side do not know each other's text.",
            )
        for option, codes in (("language", (self.language,)), ("languages", self.languages)):
            for code in codes:
                if code is not None and code not in LANGUAGES:
                    message = f"Language {code!r} is not supported. Give a code such as 'en'."
                    raise OptionError(option, message)
        if self.language is not None and self.languages and self.language not in self.languages:
            raise OptionError("languages", f"language {self.language!r} is not among languages.")
        if not self.temperature:
            raise OptionError("temperature", "temperature must have at least one value.")
        for value in self.temperature:
            # `not (0 <= x)` also catches NaN
            if not 0.0 <= value <= 1.0:
                raise OptionError("temperature", f"temperature must lie in 0..1, not {value:g}.")
