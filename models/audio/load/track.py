"""Audio track of a file: packets, length and presentation times, all of one stream."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Discard

from models.audio.container.demuxer import damage_explained, open_container
from models.audio.container.formats import DECODER_OPTIONS, HEADERLESS, ISO, OGG_TIMED
from models.audio.load.beginning import is_cover, read_beginning
from models.audio.load.timeline import LONGEST_SECONDS, LONGEST_UNLIMITED_SECONDS, Timeline
from models.audio.load.track_choice import audio_track_of, choose_track

# FFmpeg's AVFMT_TS_DISCONT: joined files of these formats have more than one clock. What ffmpeg
# takes for another clock there (-dts_delta_threshold) is 10 s; holes of that length are real.
_CLOCK_MAY_JUMP = 0x0200
_LONGEST_BETWEEN_JUMPS = 60.0


class Track:
    """The audio track of a file that a player takes, or the one of this index or language.

    Raises:
        AudioError: as for `open_container`, or no track has a decoder.
        OptionError: there is no such track.
    """

    def __init__(self, source: BinaryIO, requested: int | str | None = None) -> None:
        self._container = open_container(source)
        self.stream = choose_track(self._container, requested)
        self.info = audio_track_of(self._container, self.stream)
        self.stream.codec_context.options = DECODER_OPTIONS
        self.stream.codec_context.thread_count = 1
        self._format = self._container.format.name
        # Seconds.
        self.tick = float(self.stream.time_base or 0)
        is_ogg = self._format == "ogg"
        timed = not is_ogg or self.stream.codec_context.name in OGG_TIMED
        self._has_times = timed and self._format not in HEADERLESS
        self._head: list[Packet[AudioStream]] = []
        self._start: float | None = None

    def close(self) -> None:
        """Close the container; the file stays open."""
        self._container.close()

    @property
    def header_seconds(self) -> float | None:
        """The duration in the header, from the first sound on, in seconds; None: it has none."""
        if self._format in HEADERLESS:
            return None
        stream, container = self.stream, self._container
        if stream.duration is not None and stream.time_base is not None:
            seconds = float(stream.duration * stream.time_base)
        else:
            # Some headers count from the clock's zero.
            seconds = (container.duration or 0) / av.time_base - self._clock_start
        return seconds if seconds > 0 else None

    def is_misled(self, seconds: float, limit: float) -> bool:
        """True if the header's length may be a jump of the clock, as where files were joined."""
        return seconds > limit and bool(self._container.format.flags & _CLOCK_MAY_JUMP)

    def begin(self, is_limited: bool = True) -> Timeline:
        """The timeline of its sound in the file; called once, before `packets`.

        `is_limited`: what goes beyond a limit is refused, however long a hole is.
        """
        self._start, self._head = read_beginning(self._container, self.stream)
        if self._container.format.flags & _CLOCK_MAY_JUMP:
            return Timeline(self._start, longest=_LONGEST_BETWEEN_JUMPS)
        longest = LONGEST_SECONDS if is_limited else LONGEST_UNLIMITED_SECONDS
        return Timeline(self._origin, longest, self._last_end)

    def packets(self) -> Iterator[Packet[AudioStream]]:
        """Its packets, at last an empty one that flushes its decoder.

        Raises:
            AudioError: there is damage that no packet can be found behind.
        """
        for other in self._container.streams:
            if other != self.stream:
                other.discard = Discard.all
        with damage_explained():
            try:
                yield from chain(self._head, self._container.demux(self.stream))
            except IndexError:
                # At the end PyAV flushes streams that have begun since it opened the file, too,
                # and does not know them; ours has been flushed before.
                return

    def time_of(self, sound: Packet[AudioStream] | AudioFrame) -> float | None:
        """The presentation time, in seconds of the track's clock; None: its format has no times."""
        return sound.pts * self.tick if self._has_times and sound.pts is not None else None

    @property
    def _clock_start(self) -> float:
        return max(0, self._container.start_time or 0) / av.time_base

    @property
    def _origin(self) -> float | None:
        """The file's start.

        Of an ISO file with nothing but this track the time 0, as its edit list says, unless it is
        in fragments: those of a stream are kept with the stream's clock.
        """
        container = self._container
        shown = [each for each in container.streams.video if not is_cover(each)]
        is_alone = not shown and len(container.streams.audio) == 1
        is_indexed = container.format.name == ISO and self.stream.frames > 0
        return 0.0 if is_alone and is_indexed else self._start

    @property
    def _last_end(self) -> float:
        """The latest end of any sound, in seconds, by the length that the header states."""
        container = self._container
        if not container.duration or self._is_estimated:
            return math.inf
        return 1.1 * (container.duration / av.time_base + self._clock_start) + 10

    @property
    def _is_estimated(self) -> bool:
        """True if FFmpeg has made up the length from the size: then it says nothing of holes."""
        container = self._container
        contexts = [each.codec_context for each in container.streams.audio]
        rates: list[int] = [context.bit_rate or 0 for context in contexts if context]
        rate = sum(rates)
        if not rate or not container.duration:
            return False
        by_size = container.size * 8 / rate * av.time_base
        return abs(by_size - container.duration) < 0.03 * container.duration


def packet_seconds(source: BinaryIO, enough: float, requested: int | str | None = None) -> float:
    """The seconds of the track by its packets, which are not decoded.

    Counts no further than to `enough`. Leaves the file where it was.

    Raises:
        AudioError, OptionError: as for `Track` and its packets.
    """
    position = source.tell()
    with closing(Track(source, requested)) as track:
        timeline = track.begin()
        for packet in track.packets():
            timeline.stretch(track.time_of(packet), (packet.duration or 0) * track.tick)
            if timeline.seconds > enough:
                break
    source.seek(position)
    return timeline.seconds
