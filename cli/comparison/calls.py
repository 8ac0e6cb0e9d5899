"""The calls that both servers get: every format, a stream, a translation, and three errors."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

TRANSCRIPTIONS = "audio/transcriptions"
TRANSLATIONS = "audio/translations"
UNKNOWN_MODEL = "no-such-model"


class Kind(Enum):
    """What an answer is when all is well, and so how two of them are compared."""

    JSON = "json"
    TEXT = "text"
    CUES = "cues"
    STREAM = "stream"


class Upload(Enum):
    """What a call sends."""

    NOTHING = "nothing"
    RECORDING = "the recording"
    SILENCE = "a second of silence"
    LETTER = "a text that calls itself a recording"


@dataclass(frozen=True)
class Call:
    """A request; `fields` are those of the form beside the file and the model."""

    name: str
    kind: Kind = Kind.JSON
    path: str = TRANSCRIPTIONS
    upload: Upload = Upload.RECORDING
    fields: tuple[tuple[str, str], ...] = ()
    model: str | None = None

    def endpoint(self, model: str) -> str:
        """The path below the base URL."""
        return self.path.replace("{model}", quote(model, safe=""))

    def form(self, model: str, language: str | None) -> dict[str, str | list[str]]:
        """The text fields of the form."""
        form: dict[str, str | list[str]] = {"model": self.model or model}
        if language and self.path == TRANSCRIPTIONS:
            form["language"] = language
        for name, _ in self.fields:
            values = [value for other, value in self.fields if other == name]
            form[name] = values if name.endswith("[]") else values[0]
        return form


def _format(name: str, kind: Kind) -> Call:
    return Call(name, kind, fields=(("response_format", name),))


BASE = Call("json")
ERROR_CALLS = (
    Call("unknown-model", upload=Upload.SILENCE, model=UNKNOWN_MODEL),
    Call("unknown-format", upload=Upload.SILENCE, fields=(("response_format", "no-such-format"),)),
    Call("unreadable-file", upload=Upload.LETTER),
)
CALLS = (
    BASE,
    _format("text", Kind.TEXT),
    _format("srt", Kind.CUES),
    _format("vtt", Kind.CUES),
    _format("verbose_json", Kind.JSON),
    Call(
        "words",
        fields=(
            ("response_format", "verbose_json"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities[]", "segment"),
        ),
    ),
    Call("stream", Kind.STREAM, fields=(("stream", "true"),)),
    Call("translation", path=TRANSLATIONS),
    Call("model", path="models/{model}", upload=Upload.NOTHING),
    *ERROR_CALLS,
)
# Where Azure's deployment is in the address, no model can be asked for by its name.
NOT_OF_DEPLOYMENTS = ("model", "unknown-model")


def chosen_calls(names: str | None, *, deployment: bool) -> tuple[Call, ...]:
    """The calls of these names, with commas between; the first of all calls is always among them.

    Raises:
        ValueError: a name is none of theirs.
    """
    wanted = {name.strip() for name in (names or "").split(",")} - {""}
    if unknown := sorted(wanted - {call.name for call in CALLS}):
        known = ", ".join(call.name for call in CALLS)
        raise ValueError(f"there is no call {unknown[0]!r}; there are {known}")
    return tuple(
        call
        for call in CALLS
        if (call is BASE or not wanted or call.name in wanted)
        and not (deployment and call.name in NOT_OF_DEPLOYMENTS)
    )


def transcribing(calls: tuple[Call, ...]) -> int:
    """How many of them have the recording worked on, which hosted services bill."""
    return sum(call.upload is Upload.RECORDING for call in calls)


def silence() -> bytes:
    """A second of silence as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(bytes(32_000))
    return file.getvalue()


def letter() -> bytes:
    """Text that is sent as a recording."""
    return b"This is a letter and no recording.\n" * 20
