"""Names by which hosted services and Hugging Face know Whisper's checkpoints."""

from __future__ import annotations

import re

from models.checkpoints.catalogue import find_checkpoint

# OpenAI's models for speech, none of which names a checkpoint; `whisper` is Azure's `whisper-1`.
_HOSTED = re.compile(
    r"whisper(-1)?"
    r"|gpt-4o-transcribe(-diarize)?"
    r"|gpt-4o-mini-transcribe(-[0-9]{4}-[0-9]{2}-[0-9]{2})?"
    r"|gpt(-live)?-transcribe"
    r"|gpt-realtime-whisper"
)
# Those that hear a client's own pauses: sessions of theirs have no turn detection.
_LIVE = frozenset({"gpt-live-transcribe", "gpt-realtime-whisper"})
# Who has copies of the official checkpoints at Hugging Face, in one format or another.
_PUBLISHERS = frozenset(
    {
        "Systran",
        "deepdml",
        "distil-whisper",
        "dropbox-dash",
        "guillaumekln",
        "mlx-community",
        "mobiuslabsgmbh",
        "openai",
    }
)
_DISTILLED = frozenset({"small.en", "medium.en", "large-v2", "large-v3", "large-v3.5"})


def is_hosted_model(model_id: str) -> bool:
    """True for a model of OpenAI's service, such as `whisper-1`, whose weights nobody else has."""
    return bool(_HOSTED.fullmatch(model_id.removeprefix("openai/")))


def is_live_model(model_id: str) -> bool:
    """True for a hosted model whose live sessions find no turns by themselves."""
    return model_id.removeprefix("openai/") in _LIVE


def public_checkpoint(model_id: str) -> str | None:
    """The checkpoint that a name of Groq's or Hugging Face's means, whether it is served or not.

    `whisper-large-v3`, `Systran/faster-whisper-large-v3` and `mlx-community/whisper-large-v3-mlx`
    are `large-v3`. A name without `whisper` in it, such as `large-v3`, is none of theirs.
    """
    publisher, slash, name = model_id.rpartition("/")
    if "whisper" not in model_id or (slash and publisher not in _PUBLISHERS):
        return None
    name = name.removeprefix("faster-").removesuffix("-ct2").removesuffix("-mlx")
    if name.startswith("distil-"):
        size = name.removeprefix("distil-").removeprefix("whisper-").removesuffix("-en")
        return f"distil-{size}" if size in _DISTILLED else None
    checkpoint = find_checkpoint(name.removeprefix("whisper-"))
    return checkpoint.name if checkpoint and name.startswith("whisper-") else None
