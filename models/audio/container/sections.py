"""Sections: header and sound of containers whose header states the sound's length.

WAV (RIFF, RIFX; RF64 and BW64: EBU Tech 3306, ITU-R BS.2088), Sony's W64, AIFF, CAF and AU.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from models.audio.container.chunks import AIFF, CAF, RIFF, RIFX, W64, Chunk, ChunkForm, ChunkReader

# Recorders that write into a pipe leave a length at 0 or close to the largest one.
UNKNOWN_FROM, _UNKNOWN_WIDE, _LARGEST = 0x7FFF_0000, 1 << 62, 0xFFFF_FFFF

_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_WAVE = bytes.fromhex("77617665f3acd3118cd100c04f8edb8a")

HEAD = re.compile(
    rb"(?:RIFF|RIFX|RF64|BW64).{4}WAVE|FORM.{4}AIF[FC]|caff\x00\x01..desc|"
    rb"\.snd\x00\x00.{6}\x00\x00\x00.\x00|"
    + re.escape(_W64_RIFF)
    + rb".{8}"
    + re.escape(_W64_WAVE),
    re.DOTALL,
)
HEAD_SIZE = 40
# What to look for in place of the pattern, which takes a hundred times as long, and where in a
# header it stands.
MARKS = ((b"WAVE", 8), (b"AIF", 8), (b"caff", 0), (b".snd", 0), (b"riff\x2e", 0))

# WAV formats whose samples all have one size: integers, floats, A-law and mu-law.
_PLAIN_WAV = {1, 3, 6, 7, 0xFFFE}
# Their 64-bit lengths stand in a chunk of their own.
_WIDE = {b"RF64", b"BW64"}
_AU_BITS = {1: 8, 2: 8, 3: 16, 4: 24, 5: 32, 6: 32, 7: 64, 23: 4, 24: 8, 25: 3, 26: 5, 27: 8}


@dataclass(frozen=True)
class LengthField:
    """A length in a header: at `at` from its beginning, of the sound and `others` more bytes."""

    at: int
    form: ChunkForm
    others: int = 0


@dataclass(frozen=True)
class Section:
    """One recording's header and sound in a file.

    The header begins at `position`; the sound lies from `start` to the stated `end` (None: no
    length is stated), and what follows begins `padding` bytes behind it. Sections of one
    `description` hold sound of one kind: `bytes_per_second`, or 0 where that cannot be told, in
    blocks of `block` bytes, or 0 where they have no one size. `chunks` is None for a format whose
    sound is followed by nothing.
    """

    position: int
    start: int
    end: int | None
    padding: int
    description: bytes
    bytes_per_second: float
    block: int
    chunks: ChunkForm | None
    lengths: tuple[LengthField, ...]

    def changes(self, size: int) -> dict[int, bytes]:
        """The header's new bytes for so many bytes of sound, by the place from its beginning."""
        said = {field.at: field.form.length(size + field.others) for field in self.lengths}
        # without the name the 64-bit lengths are a chunk like any other
        return said | ({0: b"RIFF"} if self.description[:4] in _WIDE else {})


def section_at(reader: ChunkReader, position: int) -> Section | None:
    """The section whose header begins there; None: there is none, or none with sound.

    Raises:
        AudioError: the file is made of too many chunks.
    """
    head = reader.bytes_at(position, HEAD_SIZE)
    return _READERS[head[:4]](reader, position) if HEAD.match(head) else None


def _before(
    reader: ChunkReader, form: ChunkForm, position: int, sound: bytes
) -> tuple[dict[bytes, bytes], Chunk | None]:
    """The chunks before the sound, the first 64 bytes of each by its name; the sound's own."""
    found: dict[bytes, bytes] = {}
    while (chunk := reader.chunk(form, position)) and chunk.name != sound:
        content = reader.bytes_at(chunk.start, min(chunk.end - chunk.start, 64))
        found.setdefault(chunk.name, content)
        position = chunk.behind
    return found, chunk


def _wav(reader: ChunkReader, position: int) -> Section | None:
    magic = reader.bytes_at(position, 4)
    form = {b"riff": W64, b"RIFX": RIFX}.get(magic, RIFF)
    others, sound = _before(reader, form, position + (40 if form is W64 else 12), b"data")
    if sound is None or len(fmt := others.get(b"fmt ", b"")) < 16:
        return None
    length, padding = sound.end - sound.start, sound.behind - sound.end
    limit = _UNKNOWN_WIDE if form is W64 else UNKNOWN_FROM
    if magic in _WIDE and len(wide := others.get(b"ds64", b"")) >= 16:
        length, limit = int.from_bytes(wide[8:16], "little"), _UNKNOWN_WIDE
        padding = length % 2
    unknown = length <= 0 or length >= limit
    return Section(
        position,
        sound.start,
        None if unknown else sound.start + length,
        padding,
        magic + fmt,
        _wav_rate(fmt, form),
        max(1, int.from_bytes(fmt[12:14], form.order)),
        form,
        (
            LengthField(form.name_size, form, sound.start - position - form.head_size),
            LengthField(sound.start - position - form.length_size, form),
        ),
    )


def _wav_rate(fmt: bytes, form: ChunkForm) -> float:
    def number(start: int, end: int) -> int:
        return int.from_bytes(fmt[start:end], form.order)

    rate, frame, bits = number(4, 8), number(12, 14), number(14, 16)
    if number(0, 2) in _PLAIN_WAV and frame:
        return rate * frame
    # FFmpeg writes no byte rate for ADPCM
    return number(8, 12) or rate * number(2, 4) * bits / 8


def _aiff(reader: ChunkReader, position: int) -> Section | None:
    others, sound = _before(reader, AIFF, position + 12, b"SSND")
    if sound is None or len(common := others.get(b"COMM", b"")) < 18:
        return None
    skipped = 8 + int.from_bytes(reader.bytes_at(sound.start, 4))
    length = sound.end - sound.start - skipped
    # the number of frames is no part of the sound's kind
    channels, bits, kind = common[:2], common[6:8], common[18:22]
    block = int.from_bytes(channels) * -(-int.from_bytes(bits) // 8) if kind in _PLAIN_AIFF else 0
    return Section(
        position,
        sound.start + skipped,
        None if length <= 0 or length >= UNKNOWN_FROM else sound.end,
        sound.behind - sound.end,
        b"AIFF" + channels + bits + common[8:18] + kind,
        _extended(common[8:18]) * block,
        block,
        AIFF,
        (
            LengthField(4, AIFF, sound.start + skipped - position - AIFF.head_size),
            LengthField(sound.start - position - AIFF.length_size, AIFF, skipped),
        ),
    )


# Of AIFF itself, and of AIFC: big-endian and little-endian integers, floats.
_PLAIN_AIFF = {b"", b"NONE", b"twos", b"sowt", b"in24", b"in32", b"fl32", b"FL32", b"fl64", b"FL64"}


def _extended(number: bytes) -> float:
    """An 80-bit floating-point number of a size that a sample rate has; 0 for any other."""
    exponent = int.from_bytes(number[:2]) - 0x3FFF
    return int.from_bytes(number[2:]) * 2.0 ** (exponent - 63) if 0 <= exponent < 32 else 0


def _caf(reader: ChunkReader, position: int) -> Section | None:
    others, sound = _before(reader, CAF, position + 8, b"data")
    if sound is None or len(desc := others.get(b"desc", b"")) < 32:
        return None
    unknown = sound.end - sound.start >= _UNKNOWN_WIDE
    packet, frames = int.from_bytes(desc[16:20]), int.from_bytes(desc[20:24])
    rate = _double(desc[:8])
    return Section(
        position,
        sound.start + 4,  # the number of edits
        None if unknown else sound.end,
        sound.behind - sound.end,
        b"caff" + desc,
        rate * packet / frames if frames else 0,
        packet,
        CAF,
        (LengthField(sound.start - position - CAF.length_size, CAF, 4),),
    )


def _double(number: bytes) -> float:
    (value,) = _DOUBLE.unpack(number)
    return float(value) if 0 < value < _LARGEST else 0


def _au(reader: ChunkReader, position: int) -> Section | None:
    head = reader.bytes_at(position, 24)
    start, length, encoding, rate, channels = _AU.unpack(head[4:])
    end = position + start + length if 0 < length < UNKNOWN_FROM else None
    bits = channels * _AU_BITS.get(encoding, 0)
    return Section(
        position,
        position + start,
        end,
        0,
        b".snd" + head[12:],
        rate * bits / 8,
        max(1, bits // 8),
        None,
        (LengthField(8, AIFF),),
    )


_DOUBLE, _AU = struct.Struct(">d"), struct.Struct(">5I")
_READERS: dict[bytes, Callable[[ChunkReader, int], Section | None]] = {
    **dict.fromkeys((b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff"), _wav),
    b"FORM": _aiff,
    b"caff": _caf,
    b".snd": _au,
}
