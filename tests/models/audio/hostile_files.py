"""Files as an attacker makes them."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np

from tests.models.audio.load.test_load_audio import encode

HOUR = 3600
# An Opus packet of two bytes: 48 frames of 2.5 ms, each of them empty.
_EMPTY_OPUS, _EMPTY_OPUS_SECONDS = b"\xe3\x30", 0.12


def endless(container: str, hours: int) -> bytes:
    """A small file with so many hours of silence, whose container does not say so if it can."""
    codec, rate = ("flac", 1_000) if container == "flac" else ("libopus", 48_000)
    given = io.BytesIO(encode("flac" if codec == "flac" else "ogg", codec, rate, volume=0))
    file = io.BytesIO()
    options = {"live": "1"} if container == "webm" else {}
    with (
        av.open(given, "r") as source,
        av.open(file, "w", format=container, container_options=options) as output,
    ):
        stream = output.add_stream_from_template(source.streams.audio[0])
        packet = next(each for each in source.demux(audio=0) if each.size)
        content = bytes(packet) if codec == "flac" else _EMPTY_OPUS
        assert packet.duration is not None
        assert packet.time_base is not None
        tick = packet.time_base
        length = packet.duration if codec == "flac" else round(_EMPTY_OPUS_SECONDS / tick)
        for number in range(round(hours * HOUR / (length * tick))):
            again = av.Packet(content)
            again.pts = again.dts = number * length
            again.duration, again.time_base, again.stream = length, tick, stream
            output.mux(again)
    return file.getvalue()


def claiming(container: str, hours: int) -> bytes:
    """A file of a second whose header claims so many hours."""
    codecs = {"flac": "flac", "mp3": "libmp3lame", "mp4": "aac", "matroska": "pcm_s16le"}
    data = bytearray(encode(container, codecs[container], 16_000, 1.0))
    seconds = hours * HOUR
    if container == "flac":  # 36 bits in the first metadata block
        data[21] |= seconds * 16_000 >> 32
        data[22:26] = struct.pack(">I", seconds * 16_000 & 0xFFFF_FFFF)
    elif container == "mp3":  # frames of 576 samples, in the encoder's first frame
        at = data.index(b"Xing") if b"Xing" in data else data.index(b"Info")
        data[at + 8 : at + 12] = struct.pack(">I", seconds * 16_000 // 576)
    elif container == "mp4":  # ticks: of the movie, of the track, and of each frame in it
        at = data.index(b"stts") + 16
        (frames,) = struct.unpack(">I", data[at - 4 : at])
        data[at : at + 4] = struct.pack(">I", seconds * 16_000 // frames)
        data = data.replace(b"edts", b"free")
        for box in (b"mvhd", b"mdhd"):
            at = data.index(box) + 16
            (scale,) = struct.unpack(">I", data[at : at + 4])
            data[at + 4 : at + 8] = struct.pack(">I", seconds * scale)
    else:  # a double, in milliseconds
        at = data.index(b"\x44\x89\x88") + 3
        data[at : at + 8] = struct.pack(">d", seconds * 1000.0)
    return bytes(data)


def with_external_data(path: Path) -> bytes:
    """A movie whose audio lies in another file, as its data reference says."""
    data = bytearray(encode("mov", "pcm_s16le", 16_000, 1.0))
    at = data.index(b"dref") - 4
    (length,) = struct.unpack(">I", data[at : at + 4])
    name = str(path).encode()
    # Of Apple's alias record only what FFmpeg reads: the levels up and down, and the whole path.
    record = bytes(10) + bytes([0]) + bytes(27) + bytes(12) + bytes([0]) + bytes(63) + bytes(16)
    record += struct.pack(">hh", 0, 1) + bytes(16)
    record += struct.pack(">hH", 2, len(name)) + name + bytes(len(name) % 2)
    record += struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    table = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    data[at : at + length] = table
    for box in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        # the sound's, not that of a handler before it: they are around what was changed
        start = data.rindex(box, 0, at) - 4
        (before,) = struct.unpack(">I", data[start : start + 4])
        data[start : start + 4] = struct.pack(">I", before + len(table) - length)
    media = data.index(b"mdat") + 4
    (size,) = struct.unpack(">I", data[media - 8 : media - 4])
    data[media : media - 8 + size] = bytes(size - 8)
    return bytes(data)


def mutated(data: bytes, seed: int) -> bytes:
    """The file after a few random accidents, the same ones for the same seed."""
    random = np.random.default_rng(seed)
    broken = bytearray(data)
    for _ in range(int(random.integers(1, 8))):
        # most of what matters stands at the beginning or at the end
        reach = len(broken) if random.random() < 0.5 else min(512, len(broken))
        at = int(random.integers(reach)) * (1 if random.random() < 0.7 else -1)
        at %= len(broken)
        length = int(random.integers(1, 65))
        match int(random.integers(5)):
            case 0:
                broken[at] ^= 1 << int(random.integers(8))
            case 1:
                broken[at : at + length] = random.bytes(length)
            case 2:
                broken[at : at + length] = bytes([random.choice([0, 0x7F, 0xFF])]) * length
            case 3:
                del broken[at : at + length]
            case _:
                broken[at:at] = broken[at : at + length]
    return bytes(broken)
