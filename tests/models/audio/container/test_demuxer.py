"""Containers: their packets to the end, and what is said where there is none."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from models.audio.container.demuxer import open_container
from models.audio.load.load_audio import AudioFile, load
from models.audio.load.track import packet_seconds
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import encode

_RATE, _SECONDS = 44_100, 65
# FFmpeg looks for streams in the first 5 MB.
_PICTURES_FROM = 60


def late_pictures() -> bytes:
    """A sound recording that has pictures, too, in its last seconds."""
    file = io.BytesIO()
    with av.open(file, "w", format="flv") as output:
        sound = output.add_stream("pcm_s16le", rate=_RATE, layout="mono")
        pictures = output.add_stream("flv", rate=1)
        assert isinstance(sound, av.AudioStream)
        assert isinstance(pictures, av.VideoStream)
        pictures.width = pictures.height = 32
        for second in range(_SECONDS):
            output.mux(sound.encode(_second(second)))
            if second >= _PICTURES_FROM:
                output.mux(pictures.encode(_picture(second)))
    return file.getvalue()


def _second(start: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, _RATE), np.int16), layout="mono")
    frame.rate, frame.pts, frame.time_base = _RATE, start * _RATE, Fraction(1, _RATE)
    return frame


def _picture(start: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.zeros((48, 32), np.uint8), format="yuv420p")
    frame.pts, frame.time_base = start, Fraction(1)
    return frame


@pytest.fixture(scope="module")
def late() -> io.BytesIO:
    source = io.BytesIO(late_pictures())
    with open_container(source) as container:
        assert len(container.streams) == 1  # or its pictures are not late
    return source


def test_all_packets_are_counted_where_another_stream_begins_late(late: io.BytesIO) -> None:
    assert packet_seconds(late, 3600) == pytest.approx(_SECONDS, abs=0.01)


def test_all_is_read_where_another_stream_begins_late(late: io.BytesIO) -> None:
    assert len(load(late)) == _SECONDS * SAMPLE_RATE


@pytest.mark.parametrize("max_seconds", [0, 3600])
def test_container_without_a_readable_packet_is_damaged(max_seconds: int) -> None:
    data = bytearray(encode("caf", "pcm_s16le"))
    assert data[36:40] == (2).to_bytes(4)  # bytes in a packet
    data[36:40] = (1 << 24).to_bytes(4)
    with pytest.raises(AudioError, match="The file is damaged: its audio cannot be read"):
        list(AudioFile(io.BytesIO(bytes(data)), max_seconds).pieces())
