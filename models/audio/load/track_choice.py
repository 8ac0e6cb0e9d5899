"""Track choice: the request's audio track, or the one a player takes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from models.audio.container.formats import DECODERS
from models.audio_options import AudioTrack
from models.errors import AudioError, OptionError
from models.language.language_tags import same_language

_MAX_NAMED = 20
_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_UNDETERMINED = "und"


def choose_track(container: InputContainer, requested: int | str | None) -> AudioStream:
    """The track of this index or language; None: the one a player takes.

    Players take the track that is flagged as default; among several, or without any, FFmpeg's
    choice. Tracks without a decoder are passed over.

    Raises:
        AudioError: no track has a decoder.
        OptionError: there is no such track, or it has no decoder.
    """
    tracks = container.streams.audio
    if requested is None:
        if not (decodable := [track for track in tracks if is_decodable(track)]):
            raise AudioError("The file's audio is in a codec that is not supported.")
        return _preferred(container, decodable)
    named = (
        tracks[requested : requested + 1]
        if isinstance(requested, int)
        else _spoken(tracks, requested)
    )
    if not named:
        raise OptionError("audio_track", f"The file has no such audio track: {_list(tracks)}.")
    if not (decodable := [track for track in named if is_decodable(track)]):
        raise OptionError("audio_track", "That audio track is in a codec that is not supported.")
    return _preferred(container, decodable)


def audio_track_of(container: InputContainer, stream: AudioStream) -> AudioTrack:
    """The index, count and language of a track."""
    tracks = container.streams.audio
    return AudioTrack(tracks.index(stream), len(tracks), _language(stream))


def is_decodable(stream: AudioStream) -> bool:
    """True if there is a decoder for it, and it may be used."""
    context = stream.codec_context
    return context is not None and context.codec.name in DECODERS


def _spoken(tracks: Sequence[AudioStream], language: str) -> list[AudioStream]:
    tags = {track: _language(track) for track in tracks}
    exact = [track for track, tag in tags.items() if tag and tag.lower() == language.lower()]
    return exact or [track for track, tag in tags.items() if tag and same_language(tag, language)]


def _preferred(container: InputContainer, tracks: Sequence[AudioStream]) -> AudioStream:
    flagged = [track for track in tracks if track.disposition & Disposition.default]
    best = container.streams.best("audio")
    candidates = flagged or tracks
    return next((track for track in candidates if track == best), candidates[0])


def _language(track: AudioStream) -> str | None:
    """Its language tag if it is a valid one, as it goes into a header."""
    tag = (track.metadata.get("language") or "").replace("_", "-")
    return tag if _TAG.fullmatch(tag) and tag.lower() != _UNDETERMINED else None


def _list(tracks: Sequence[AudioStream]) -> str:
    names = [f"{index} ({_language(each) or 'no language'})" for index, each in enumerate(tracks)]
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"the indexes are {', '.join(names[:_MAX_NAMED])}{more}"
