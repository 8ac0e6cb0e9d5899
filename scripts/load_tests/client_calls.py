"""Client behaviours of a soak: which recording, in which form, and when the client leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random

from scripts.load_tests.broken_clients import write_broken
from scripts.shared.corpus import joined_until
from scripts.shared.manifest import Clip

# Of a hundred requests: with broken audio; left by their client; of those heard, joined ones.
_BROKEN, _LEFT, _JOINED = 10, 10, 5
_BROKEN_FILES = 50
_JOINED_SECONDS = (35.0, 70.0, 140.0)
_FORMATS = ("json", "verbose_json", "srt")


class Moment(StrEnum):
    """When a client goes away."""

    UPLOADING = "while uploading"
    WAITING = "while waiting"
    STREAMING = "in mid-stream"


@dataclass(frozen=True)
class Leaving:
    """When a client goes away; `share` from 0 to 1 says how far into it."""

    moment: Moment
    share: float


@dataclass(frozen=True)
class Call:
    """A request; `leaving` is None where the client waits for its answer."""

    clip: Clip
    response_format: str
    stream: bool = False
    leaving: Leaving | None = None
    is_broken: bool = False


@dataclass(frozen=True)
class Audio:
    """Recordings to send, sound ones and broken ones."""

    clips: list[Clip]
    joined: list[Clip]
    broken: list[Clip]

    @property
    def spoken(self) -> list[Clip]:
        """All that has a transcript."""
        return [*self.clips, *self.joined]


def prepare(clips: Sequence[Clip], folder: Path, random: Random) -> Audio:
    """These clips, long recordings joined from them, and broken files, written to a folder."""
    joined = []
    for seconds in _JOINED_SECONDS:
        shuffled = random.sample(clips, len(clips))
        joined.append(joined_until(shuffled, seconds, folder / f"joined-{seconds:g}.wav"))
    return Audio(list(clips), joined, write_broken(folder, _BROKEN_FILES, random))


def draw(audio: Audio, random: Random) -> Call:
    """The next request of a client."""
    stream = random.random() < 1 / (len(_FORMATS) + 1)
    response_format = "json" if stream else random.choice(_FORMATS)
    percent = random.uniform(0, 100)
    if percent < _BROKEN:
        return Call(random.choice(audio.broken), response_format, stream, is_broken=True)
    clip = random.choice(audio.joined if random.uniform(0, 100) < _JOINED else audio.clips)
    if percent > _BROKEN + _LEFT:
        return Call(clip, response_format, stream)
    leaving = Leaving(random.choice(list(Moment)), random.random())
    if leaving.moment is Moment.STREAMING:
        return Call(clip, "json", stream=True, leaving=leaving)
    return Call(clip, response_format, stream, leaving)
