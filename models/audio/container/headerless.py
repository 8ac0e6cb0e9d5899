"""Headerless samples: 16-bit PCM without a container, told from files, and a WAV header for it."""

from __future__ import annotations

import re
import struct

from models.units import SAMPLE_RATE

# As much of a file's beginning as tells: two frames of ADTS, of which none is longer than 8 KiB.
HEAD_BYTES = 16 * 1024
WAV_HEADER_BYTES = 44
BYTES_PER_SECOND = 2 * SAMPLE_RATE
# With more, a length is taken for none, and the file is read to its end.
_MAX_SIZE = 0xFFFF_FF00

_MAGIC = re.compile(
    rb"RIFF|RIFX|RF64|BW64|riff\x2e\x91|FORM....AIF[FC]|caff\x00|\.snd\x00|OggS|fLaC|ID3[\x02-\x04]|"
    rb"....(?:ftyp|moov|mdat|wide|free|skip|pnot)|\x1a\x45\xdf\xa3|#!AMR|wvpk|FLV\x01|MAC |TTA1|"
    rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11|MPCK|DSD |\.RMF|\x00\x00\x01\xba|Creative Voice File|"
    rb"NIST_1A|2BIT|tBaK|\x06\x0e\x2b\x34\x02\x05\x01\x01|"
    # MPEG-TS: its packets begin alike, with four bytes before each in Blu-ray's.
    rb"\x47.{187}\x47.{187}\x47|.{4}\x47.{191}\x47.{191}\x47",
    re.DOTALL,
)
# Of layer III, in kbit/s, by the header's index: MPEG-1, and MPEG-2 or 2.5.
_KILOBITS = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def is_headerless(head: bytes) -> bool:
    """True unless a file begins so that FFmpeg knows; `head` is `HEAD_BYTES`, or all there is.

    MP3 and AAC without tags begin with 12 bits that samples may have as well, so a second frame
    must follow the first.
    """
    if _MAGIC.match(head):
        return False
    return not any(
        size and head[size : size + 2] and frame_bytes(head[size : size + 7])
        for frame_bytes in (_adts_bytes, _mp3_bytes)
        for size in (frame_bytes(head[:7]),)
    )


def wav_header(size: int) -> bytes:
    """The header of a WAV file with `size` bytes of 16-bit mono samples at 16 kHz.

    Half a sample at the end does not count.
    """
    size = min(size - size % 2, _MAX_SIZE)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, BYTES_PER_SECOND, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", WAV_HEADER_BYTES - 8 + size, b"WAVE")
    return riff + form + struct.pack("<4sI", b"data", size)


def _adts_bytes(head: bytes) -> int:
    """The length of an ADTS frame; 0: there is none."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else 0


def _mp3_bytes(head: bytes) -> int:
    """The length of a frame of MPEG audio, layer III; 0: there is none."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, rate = head[1] >> 3 & 3, head[2] >> 2 & 3
    bits = 1000 * _KILOBITS[version != 3][head[2] >> 4]
    if version not in _RATES or rate == 3 or not bits:
        return 0
    samples = 1152 if version == 3 else 576
    return samples // 8 * bits // _RATES[version][rate] + (head[2] >> 1 & 1)
