"""Session object: the effective configuration, partial updates of it, and its echo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from api.errors import ApiError
from api.realtime.session_fields import (
    LOGPROBS,
    OPEN_TEXT,
    AudioInput,
    Pcm,
    SemanticVad,
    ServerVad,
    Transcription,
    TranscriptionSession,
)
from api.realtime.session_merge import merged, refusal
from models.checkpoints.public_names import is_live_model
from models.errors import ModelNotFoundError
from models.language.language_tags import asks_to_detect, find_language
from models.live import live_options
from models.live.live_options import AudioFormat, Delay, LiveOptions
from models.options import TranscribeOptions, VoiceOptions

# Told by the server alone.
_OF_THE_SERVER = ("object", "id", "expires_at")
_ENCODINGS: Mapping[str, live_options.Encoding] = {
    "audio/pcmu": "g711_ulaw",
    "audio/pcma": "g711_alaw",
}
# The hosted model by these names has no text before a turn is over.
_SAME = ("whisper", "whisper-1")


@dataclass(frozen=True)
class Defaults:
    """What a session has unless it is told otherwise: the id of its model, and its delay."""

    model: str
    delay: Delay = "medium"


@dataclass(frozen=True)
class SessionObject:
    """A session's configuration: `asked` is all that was asked for, and `fields` the same checked.

    Pure: an update gives another one, or an error, and leaves this one as it is.
    """

    defaults: Defaults
    asked: Mapping[str, Any] = field(default_factory=dict)
    fields: TranscriptionSession = field(default_factory=TranscriptionSession)

    def updated(self, update: Mapping[str, Any]) -> SessionObject:
        """This with an update merged in, which changes only what it names.

        Raises:
            ApiError: `unknown_parameter` or `invalid_value`, with the field's dotted path.
        """
        known = {name: value for name, value in update.items() if name not in _OF_THE_SERVER}
        asked = merged(self.asked, known)
        try:
            fields = TranscriptionSession.model_validate(asked)
        except ValidationError as error:
            raise refusal(error, asked) from None
        return replace(self, asked=asked, fields=fields)

    @property
    def input(self) -> AudioInput:
        """`session.audio.input`."""
        return self.fields.audio.input

    @property
    def model_id(self) -> str | None:
        """The id of the model; None: speech is not transcribed."""
        asked = self.input.transcription
        return (asked.model or self.defaults.model) if asked else None

    @property
    def turn_detection(self) -> ServerVad | SemanticVad | None:
        """The one that was asked for, or what the model's clients expect."""
        if "turn_detection" in self.input.model_fields_set:
            return self.input.turn_detection
        is_live = self.model_id is not None and is_live_model(self.model_id)
        return None if is_live else ServerVad(type="server_vad")

    @property
    def delay(self) -> Delay:
        """How long text may wait before it is settled."""
        asked = self.input.transcription
        if asked and asked.delay:
            return asked.delay
        return "xhigh" if self.model_id in _SAME else self.defaults.delay

    @property
    def with_logprobs(self) -> bool:
        """True if texts have their log-probabilities."""
        return LOGPROBS in (self.fields.include or ())

    @property
    def with_open_text(self) -> bool:
        """True if text is sent before it is settled."""
        return OPEN_TEXT in (self.fields.include or ())

    def shown(self, session_id: str, expires_at: int) -> dict[str, Any]:
        """The whole session as clients are told it, defaults included."""
        reduction, turns = self.input.noise_reduction, self.turn_detection
        return {
            "type": self.fields.type,
            "object": "realtime.transcription_session",
            "id": session_id,
            "expires_at": expires_at,
            "audio": {
                "input": {
                    "format": self.input.format.model_dump(exclude_none=True),
                    "transcription": self._shown_transcription(),
                    "noise_reduction": reduction and reduction.model_dump(exclude_none=True),
                    "turn_detection": turns and turns.model_dump(exclude_none=True),
                }
            },
            "include": self.fields.include,
        }

    def live_options(self, find: Callable[[str], str]) -> LiveOptions:
        """The same for the models; `find` has the checkpoint of a model's id.

        Raises:
            ApiError: there is no such model.
        """
        try:
            model = None if self.model_id is None else find(self.model_id)
        except ModelNotFoundError as error:
            path = "session.audio.input.transcription.model"
            raise ApiError(error.message, param=path, code="model_not_found") from None
        return LiveOptions(
            model=model,
            format=_audio_format(self.input),
            turn_detection=_turn_detection(self.turn_detection),
            delay=self.delay,
            transcription=_transcribe_options(self.input.transcription or Transcription()),
        )

    def _shown_transcription(self) -> dict[str, Any] | None:
        asked = self.input.transcription
        if asked is None:
            return None
        return {**asked.model_dump(), "model": self.model_id, "delay": self.delay}


def _audio_format(asked: AudioInput) -> AudioFormat:
    if isinstance(asked.format, Pcm):
        return AudioFormat("pcm16", asked.format.rate)
    return AudioFormat(_ENCODINGS[asked.format.type], 8_000)


def _turn_detection(
    asked: ServerVad | SemanticVad | None,
) -> live_options.ServerVad | live_options.SemanticVad | None:
    match asked:
        case ServerVad():
            voice = VoiceOptions(
                threshold=asked.threshold,
                prefix_padding_ms=asked.prefix_padding_ms,
                silence_duration_ms=asked.silence_duration_ms,
            )
            return live_options.ServerVad(voice)
        case SemanticVad():
            return live_options.SemanticVad(asked.eagerness)
    return None


def _transcribe_options(asked: Transcription) -> TranscribeOptions:
    """A language that is known comes before a choice of languages."""
    named = [asked.language] if asked.language else asked.languages or []
    # Where one may be any, all may be.
    found = [] if any(map(asks_to_detect, named)) else list(map(find_language, named))
    languages = [language for language in found if language]
    codes = tuple(dict.fromkeys(language.code for language in languages))
    return TranscribeOptions(
        language=codes[0] if asked.language and codes else None,
        languages=() if asked.language else codes,
        scripts=tuple(dict.fromkeys(each.script for each in languages if each.script)),
        initial_prompt=asked.prompt,
        keywords=tuple(asked.keywords or ()),
        trim_keywords=True,
    )
