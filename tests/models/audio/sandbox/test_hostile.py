"""Hostile files: an error or samples, in bounded time and memory, and nothing else is touched."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from models.audio.sandbox.rlimits import Limits
from models.errors import AudioError
from models.units import SAMPLE_RATE
from tests.models.audio.hostile_files import claiming, endless, mutated, with_external_data
from tests.models.audio.load.test_load_audio import encode, tone, wav
from tests.models.audio.load.test_load_playlists import Secrets, concat, hls, secrets
from tests.models.audio.sandbox.test_reader import Watched, samples, sandbox
from tests.speech_clips import FORMATS, jfk

__all__ = ["secrets"]

LIMITS = Limits(max_seconds=12 * 3600, patience_seconds=20)


@pytest.fixture(scope="module")
def box() -> Iterator[Watched]:
    with sandbox(LIMITS) as running:
        yield running


def text_frame(content: bytes) -> bytes:
    """An ID3 tag before it, as MP3 files have."""
    return b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + content


def in_wav(content: bytes) -> bytes:
    """As the samples of a WAV file."""
    return wav(np.frombuffer(content + bytes(len(content) % 2), np.int16)[:, None])


@pytest.mark.parametrize("script", [hls, concat])
@pytest.mark.parametrize("target", ["secret.ts", "file:{path}", "{url}"])
@pytest.mark.parametrize("wrap", [bytes, text_frame])
def test_playlist_opens_nothing(
    box: Watched,
    secrets: Secrets,
    tmp_path: Path,
    script: Callable[[str], bytes],
    target: str,
    wrap: Callable[[bytes], bytes],
) -> None:
    data = script(target.format(path=tmp_path / "secret.ts", url=secrets.url))

    with pytest.raises(AudioError):
        samples(box, io.BytesIO(wrap(data)))
    assert secrets.asked == []


@pytest.mark.parametrize("inner", ["playlist", "matroska", "wav"])
def test_container_in_a_container_is_data(box: Watched, secrets: Secrets, inner: str) -> None:
    content = {
        "playlist": hls(secrets.url) * 20,
        "matroska": encode("matroska", "aac"),
        "wav": wav(tone(SAMPLE_RATE)),
    }[inner]

    found = samples(box, io.BytesIO(in_wav(content)))

    assert len(found) == -(-len(content) // 2)
    assert secrets.asked == []


def test_movie_with_its_data_in_another_file_has_none_of_it(box: Watched, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mov"
    secret.write_bytes(encode("mov", "pcm_s16le", 16_000, 1.0))
    hostile = with_external_data(secret)
    allowed = {"enable_drefs": "1", "use_absolute_path": "1"}
    (tmp_path / "hostile.mov").write_bytes(hostile)
    with av.open(tmp_path / "hostile.mov", options=allowed) as container:
        loud = [np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0)]
    assert max(loud) > 1000, "it must do harm where it is allowed to"

    with pytest.raises(AudioError, match="nothing in it could be decoded"):
        samples(box, io.BytesIO(hostile))


@pytest.mark.parametrize("container", ["flac", "mp3", "mp4", "matroska"])
@pytest.mark.parametrize("limit", [True, False])
def test_claim_of_a_hundred_hours_is_refused(container: str, limit: bool) -> None:
    data = claiming(container, 70 if container == "mp4" else 100)  # 32 bits hold no more
    assert len(data) < 64_000
    with sandbox(LIMITS if limit else Limits()) as box:
        if limit:
            with pytest.raises(
                AudioError, match=r"43200 seconds are the most .* it has [\d.]+ or more"
            ):
                samples(box, io.BytesIO(data))
        elif container in ("flac", "mp3"):
            with pytest.raises(AudioError, match="cut off"):
                samples(box, io.BytesIO(data))
        else:
            assert len(samples(box, io.BytesIO(data))) < 2 * SAMPLE_RATE


@pytest.mark.parametrize(("container", "hours"), [("flac", 48), ("ogg", 14), ("webm", 14)])
def test_hours_of_silence_are_refused_before_they_are_decoded(
    box: Watched, container: str, hours: int
) -> None:
    file = io.BytesIO(endless(container, hours))
    lengths: list[int] = []

    with pytest.raises(AudioError, match="too long"):
        lengths.extend(map(len, box.read(file)))

    # FLAC's header says that it is short
    assert sum(lengths) < 30 * SAMPLE_RATE


def test_limit_holds_where_the_header_says_less_than_there_is() -> None:
    data = bytearray(encode("flac", "flac", SAMPLE_RATE, 5.0))
    data[21:26] = (data[21] & 0xF0 | 0, *(3 * SAMPLE_RATE).to_bytes(4))
    with (
        sandbox(Limits(max_seconds=4)) as box,
        pytest.raises(AudioError, match=r"4 seconds are the most .* it has 4\.\d+ or more"),
    ):
        samples(box, io.BytesIO(bytes(data)))


@pytest.mark.parametrize(
    "name", ["jfk-16k.wav", "jfk.mp3", "jfk.flac", "jfk.opus", "jfk.ogg", "jfk.m4a", "jfk.webm"]
)
def test_mutated_files_give_samples_or_an_audio_error(box: Watched, name: str) -> None:
    path = jfk().path if name == "jfk.flac" else FORMATS / name
    data = path.read_bytes()
    memory = box.template.memory_info().rss
    outcomes = {"samples": 0, "error": 0}

    for seed in range(100):
        started = time.monotonic()
        try:
            samples(box, io.BytesIO(mutated(data, seed)))
            outcomes["samples"] += 1
        except AudioError:
            outcomes["error"] += 1
        assert time.monotonic() - started < LIMITS.patience_seconds

    assert outcomes["error"] > 0
    assert box.template.is_running()
    assert box.template.children() == []
    assert box.template.memory_info().rss < memory + (4 << 20)
    assert psutil.Process().children().count(box.template) == 1
