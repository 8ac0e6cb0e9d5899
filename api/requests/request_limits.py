"""Request limits: how large an upload and how long a recording may be, as clients are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from api.settings import Settings
from models.units import MIB


@dataclass(frozen=True)
class RequestLimits:
    """Bytes of a body and seconds of a recording; None: there is no limit."""

    upload_bytes: int | None = None
    audio_seconds: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that these settings mean: 0 is none there."""
        return cls(settings.max_upload_mib * MIB or None, settings.max_audio_seconds or None)
