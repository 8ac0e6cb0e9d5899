"""The dialects that this server speaks, by the setting `WHISPER_DIALECTS`."""

from __future__ import annotations

from api.dialect import Dialect
from api.dialects.asr_webservice import AsrWebservice
from api.dialects.azure import Azure
from api.dialects.groq import Groq
from api.dialects.json_body import JsonBody
from api.dialects.whisper_cpp import WhisperCpp
from api.settings import Settings


def enabled(settings: Settings) -> tuple[Dialect, ...]:
    """Those that are on, the first that knows a request being its own."""
    # Groq's before Azure's, which shares a prefix with it and is content with its answers.
    all_of_them: tuple[Dialect, ...] = (
        Groq(),
        Azure(),
        AsrWebservice(settings),
        WhisperCpp(),
        JsonBody(),
    )
    return tuple(dialect for dialect in all_of_them if dialect.name in settings.dialects)
