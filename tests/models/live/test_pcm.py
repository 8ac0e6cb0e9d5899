"""PCM and G.711 in pieces of any size."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext

from models.audio.load.load_audio import load
from models.live.live_options import PCM_RATES, AudioFormat, Encoding
from models.live.pcm import TICKS, Pcm, PcmDecoder, ticks_of
from tests.speech_clips import jfk

RNG = np.random.default_rng(0)


def heard(audio: AudioFormat, pieces: list[bytes]) -> Pcm:
    decoder = PcmDecoder(audio)
    return np.concatenate([decoder.feed(piece) for piece in pieces])


def cut(audio: bytes, *sizes: int) -> list[bytes]:
    """The audio in pieces of these sizes, over and over."""
    pieces: list[bytes] = []
    start = 0
    while start < len(audio):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(audio[start : start + size])
        start += size
    return pieces


@pytest.mark.parametrize("rate", PCM_RATES)
@pytest.mark.parametrize("sizes", [(1,), (3,), (0, 1, 2, 3, 4801), (9600,)])
def test_samples_are_the_same_however_the_bytes_are_cut(rate: int, sizes: tuple[int, ...]) -> None:
    audio = RNG.integers(-20_000, 20_000, 4_000).astype("<i2").tobytes() + b"\x07"
    form = AudioFormat("pcm16", rate)
    whole = heard(form, [audio])

    assert np.array_equal(heard(form, cut(audio, *sizes)), whole)
    assert abs(len(whole) - 4_000 * 16_000 / rate) <= 32


def test_sixteen_kilohertz_come_through_as_they_are() -> None:
    samples = RNG.integers(-32_768, 32_767, 1_000).astype("<i2")
    assert np.array_equal(heard(AudioFormat("pcm16", 16_000), [samples.tobytes()]), samples)


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_speech_at_other_rates_is_the_same_sound_two_milliseconds_late_at_most(rate: int) -> None:
    samples = (load(jfk().path)[: 16_000 * 3] * 32_767).astype(np.int16)
    there = av.AudioResampler(format="s16", layout="mono", rate=rate)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.rate = 16_000
    sent = np.concatenate([piece.to_ndarray()[0] for piece in there.resample(frame)])
    back = heard(AudioFormat("pcm16", rate), cut(sent.astype("<i2").tobytes(), 2_401))

    count = min(len(back), len(samples))
    correlation = np.corrcoef(back[:count], samples[:count])[0, 1]
    # Both resamplers keep 16 samples of the lower rate, and give none out.
    assert len(samples) - len(back) <= 2 * 16 * max(1, 16_000 // rate)
    assert correlation > (0.99 if rate > 8_000 else 0.9)


@pytest.mark.parametrize(
    ("encoding", "codec"), [("g711_ulaw", "pcm_mulaw"), ("g711_alaw", "pcm_alaw")]
)
def test_codes_of_g711_are_those_of_ffmpeg(encoding: Encoding, codec: str) -> None:
    decoder = AudioCodecContext.create(codec, "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate, decoder.layout = 8_000, "mono"
    codes = bytes(range(256))
    (frame,) = decoder.decode(av.Packet(codes))
    table = PcmDecoder(AudioFormat(encoding, 8_000))._table  # noqa: SLF001

    assert table is not None
    assert np.array_equal(table[np.frombuffer(codes, np.uint8)], frame.to_ndarray()[0])


def test_g711_is_resampled_from_eight_kilohertz() -> None:
    assert abs(len(heard(AudioFormat("g711_ulaw", 8_000), [b"\xff" * 8_000])) - 16_000) <= 32


@pytest.mark.parametrize("rate", PCM_RATES)
def test_length_of_bytes_is_exact(rate: int) -> None:
    assert ticks_of(AudioFormat("pcm16", rate), 2 * rate) == TICKS
    assert 2 * rate * ticks_of(AudioFormat("pcm16", rate), 1) == TICKS
    assert 8_000 * ticks_of(AudioFormat("g711_alaw", 8_000), 1) == TICKS
