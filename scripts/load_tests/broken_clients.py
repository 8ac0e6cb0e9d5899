"""Broken audio files: cut off, damaged, empty, noise, playlists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from scripts.shared.manifest import OWN_SPEECH, Clip

_CLIPS = OWN_SPEECH.parent / "clips"
_LONGEST_NOISE = 100_000
_PLAYLISTS = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
    b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    b"ffconcat version 1.0\nfile /etc/hostname\n",
    b"ffconcat version 1.0\nfile http://127.0.0.1:9/a.wav\n",
)


def write_broken(folder: Path, count: int, random: Random) -> list[Clip]:
    """Write `count` broken files, the kinds in turn; `seconds` is 0, as nothing can be read."""
    clips = []
    for number in range(count):
        make = _KINDS[number % len(_KINDS)]
        path = folder / f"{make.__name__.strip('_')}-{number}"
        path.write_bytes(make(random))
        clips.append(Clip(path, None, "en", 0.0, make.__name__.strip("_")))
    return clips


def _truncated(random: Random) -> bytes:
    """Any format, cut anywhere in its middle."""
    whole = random.choice([_CLIPS / "jfk.flac", *sorted((_CLIPS / "formats").iterdir())])
    content = whole.read_bytes()
    return content[: int(len(content) * random.uniform(0.1, 0.9))]


def _noise(random: Random) -> bytes:
    return random.randbytes(random.randint(1, _LONGEST_NOISE))


def _empty(_: Random) -> bytes:
    return b""


def _playlist(random: Random) -> bytes:
    return random.choice(_PLAYLISTS)


def _mutated(random: Random) -> bytes:
    """A FLAC file with its header, and a bit in ten bytes of the rest turned over."""
    content = bytearray((_CLIPS / "jfk.flac").read_bytes())
    for place in range(100, len(content), 10):
        content[place + random.randrange(10) - 10] ^= 1 << random.randrange(8)
    return bytes(content)


_KINDS: tuple[Callable[[Random], bytes], ...] = (_truncated, _noise, _empty, _playlist, _mutated)
