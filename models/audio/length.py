"""How long a recording is likely to be, told before it is read."""

from __future__ import annotations

from typing import BinaryIO

from models.audio.truncation import stated_seconds

# Compressed speech in common qualities: 128 kbit/s.
_BYTES_PER_SECOND = 16_000


def estimated_seconds(file: BinaryIO) -> float:
    """What the header states, or what a file of this size usually holds; left at its beginning."""
    stated = stated_seconds(file)
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(32)
    file.seek(0)
    if stated is not None:
        return max(0.0, stated)
    is_wav = head[:4] == b"RIFF" and head[8:16] == b"WAVEfmt "
    rate = int.from_bytes(head[28:], "little") if is_wav else 0
    return size / (rate or _BYTES_PER_SECOND)
