"""Raw clients of the realtime API, and speech as they send it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from tests.server import Server
from tests.speech_clips import OWN_SPEECH
from tests.wire.http import CLIP, SECONDS

PATH = "/v1/realtime"
# Of eleven seconds, with pauses.
JFK = OWN_SPEECH / "clips" / "jfk.flac"
COMMIT = {"type": "input_audio_buffer.commit"}
CLEAR = {"type": "input_audio_buffer.clear"}
COMMITTED = "input_audio_buffer.committed"
CLEARED = "input_audio_buffer.cleared"
DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"
Json = dict[str, Any]


@cache
def pcm(path: Path = CLIP, rate: int = 24_000, codec: str = "") -> bytes:
    """A recording as 16-bit mono PCM, or in G.711's `pcm_mulaw` or `pcm_alaw`."""
    resampler = av.AudioResampler("s16", "mono", rate)
    with av.open(path) as file:
        frames = [each for frame in file.decode(audio=0) for each in resampler.resample(frame)]
    frames += resampler.resample(None)
    samples = b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames)
    return _encoded(samples, rate, codec) if codec else samples


def _encoded(samples: bytes, rate: int, codec: str) -> bytes:
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = rate, av.AudioFormat("s16"), "mono"
    array = np.frombuffer(samples, "<i2")[None, :]
    frame = av.AudioFrame.from_ndarray(array, "s16", "mono")
    frame.sample_rate = rate
    return b"".join(bytes(packet) for each in (frame, None) for packet in encoder.encode(each))


def silence(milliseconds: int) -> bytes:
    """Silence of 24,000 samples a second."""
    return bytes(48 * milliseconds)


def appends(audio: bytes, size: int = 4800) -> list[Json]:
    """The events with this audio in pieces."""
    return [
        {
            "type": "input_audio_buffer.append",
            "audio": base64.b64encode(audio[start : start + size]).decode(),
        }
        for start in range(0, len(audio), size)
    ]


def update_input(**changes: object) -> Json:
    """The event that changes this of `session.audio.input`."""
    return {
        "type": "session.update",
        "session": {"type": "transcription", "audio": {"input": changes}},
    }


# The client commits.
MANUAL = update_input(turn_detection=None)


class Client:
    """A raw client: JSON out, JSON in. All that it has heard is in `heard`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.heard: list[Json] = []

    def say(self, *events: Mapping[str, object] | str | bytes) -> None:
        """Send events, or what is none."""
        for event in events:
            self.connection.send(event if isinstance(event, (str, bytes)) else json.dumps(event))

    def speak(self, audio: bytes) -> None:
        """Append audio as fast as it is spoken, 100 ms at a time."""
        begin = time.monotonic()
        for number, event in enumerate(appends(audio), 1):
            self.say(event)
            time.sleep(max(0.0, begin + number / 10 - time.monotonic()))

    def hear(self) -> Json:
        """The next event."""
        self.heard.append(json.loads(self.connection.recv(SECONDS)))
        return self.heard[-1]

    def hear_until(self, kind: str) -> Json:
        """The first event of this type that comes."""
        while self.hear()["type"] != kind:
            assert self.heard[-1]["type"] != "error", self.heard[-1]
        return self.heard[-1]

    def hear_all(self) -> int:
        """Hear until the connection is closed; the code."""
        try:
            while True:
                self.hear()
        except ConnectionClosed:
            assert self.connection.close_code is not None
            return self.connection.close_code

    def transcript(self, audio: bytes) -> str:
        """What is heard in audio that is appended and committed."""
        self.say(*appends(audio), COMMIT)
        return str(self.hear_until(COMPLETED)["transcript"])

    def types(self) -> list[str]:
        """The types of all that was heard."""
        return [event["type"] for event in self.heard]


def socket_url(server: Server, path: str = PATH) -> str:
    """The address of a server's socket."""
    return f"{server.url.replace('http', 'ws', 1)}{path}"


@contextmanager
def talking(
    server: Server,
    query: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    protocols: Sequence[str] = (),
    path: str = PATH,
) -> Iterator[Client]:
    """A raw client that is connected."""
    with connect(
        f"{socket_url(server, path)}{query}",
        additional_headers=headers,
        subprotocols=[Subprotocol(each) for each in protocols] or None,
        compression=None,
        max_size=None,
        open_timeout=SECONDS,
        ping_timeout=SECONDS,
    ) as connection:
        yield Client(connection)
