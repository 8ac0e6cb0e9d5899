"""Start time of a file on its clock: that of its earliest sound or picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from models.audio.container.demuxer import damage_explained
from models.audio.container.formats import ISO

# Pictures that begin behind these are as late as the sound.
_HEAD_PACKETS, _HEAD_BYTES = 500, 8 << 20


def read_beginning(
    container: InputContainer, track: AudioStream
) -> tuple[float | None, list[Packet[AudioStream]]]:
    """The file's start in seconds on its clock, and what was read of the track meanwhile.

    FFmpeg knows when sound begins. Of pictures without decoding times it does not: that takes a
    decoder, and none is opened. None: the start is not known.

    Raises:
        AudioError: there is damage that no packet can be found behind.
    """
    start = math.inf if container.start_time is None else container.start_time / av.time_base
    pictures = {each.index for each in container.streams.video if not is_cover(each)}
    head: list[Packet[AudioStream]] = []
    # An index tells when pictures begin, and where an edit list cuts them.
    is_indexed = container.format.name == ISO and track.frames > 0
    if pictures and not is_indexed:
        for packet in _first_packets(container):
            if packet.stream == track:
                head.append(cast("Packet[AudioStream]", packet))
            elif packet.stream.index in pictures and (time := _time(packet)) is not None:
                start = min(start, time)
                pictures.remove(packet.stream.index)
            if not pictures:
                break
    return start if start < math.inf else None, head


def _first_packets(container: InputContainer) -> Iterator[Packet[Stream]]:
    size = 0
    with damage_explained():
        try:
            for count, packet in enumerate(container.demux(), 1):
                yield packet
                size += packet.size
                if count >= _HEAD_PACKETS or size >= _HEAD_BYTES:
                    return
        except IndexError:  # at the end: as in `Track.packets`
            return


def is_cover(stream: Stream) -> bool:
    """True for cover art, which is of the whole file and not of a moment."""
    return bool(stream.disposition & Disposition.attached_pic)


def _time(packet: Packet[Stream]) -> float | None:
    ticks = packet.dts if packet.pts is None else packet.pts
    if ticks is None or packet.is_discard or packet.time_base is None:
        return None
    return float(ticks * packet.time_base)
