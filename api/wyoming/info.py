"""Wyoming's `info`: what this server is, which models it has and which languages they know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.wyoming.framing import Event
from models.language.languages import LANGUAGES

# Home Assistant's codes of languages for which Whisper has others; it offers those it finds here.
_ALSO = ("fil", "jv", "nb")
_ENGLISH = ("en",)
_OPENAI = {"name": "OpenAI", "url": "https://github.com/openai/whisper"}


@dataclass(frozen=True)
class OfferedModel:
    """A served checkpoint, loaded or not."""

    name: str
    is_multilingual: bool

    @property
    def languages(self) -> list[str]:
        """The codes that a client may ask for."""
        return sorted([*LANGUAGES, *_ALSO] if self.is_multilingual else _ENGLISH)


def info(models: Sequence[OfferedModel], version: str) -> Event:
    """The answer to `describe`; the first model is the default."""
    program = {
        **_artifact("whisper-bento", "Speech to text with Whisper", version),
        "supports_transcript_streaming": True,
        "models": [
            {
                **_artifact(model.name, f"Whisper {model.name}", version),
                "languages": model.languages,
            }
            for model in models
        ],
    }
    others = ("tts", "handle", "intent", "wake", "mic", "snd")
    return Event("info", {"asr": [program], **{name: [] for name in others}})


def _artifact(name: str, description: str, version: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "attribution": _OPENAI,
        "installed": True,
        "version": version,
    }
