"""Recordings whose channels or headers are not what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.audio.load.load_audio import load
from models.units import SAMPLE_RATE
from tests.models.audio.load.test_load_audio import wav
from tests.server import Server
from tests.speech_clips import OWN_SPEECH
from tests.wire.http import CLIP, TEXT, post
from tests.wire.promises import promises

SECOND = OWN_SPEECH / "clips" / "kathleen" / "arctic_a0034_1592747795.flac"


def integers(path: Path) -> npt.NDArray[np.int16]:
    """The samples of a clip, `[samples, 1]`."""
    return (load(path) * 32767).astype(np.int16)[:, None]


def text_of_bytes(server: Server, content: bytes, path: Path) -> str:
    """What is heard in a file of this content."""
    path.write_bytes(content)
    answer = post(server, file=path)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["text"])


@promises(
    "Requests",
    "`file`: channels are mixed so that none cancels another (inverted stereo) or drowns it"
    " (silence or steady noise beside the voice)",
    "extension",
    "ordinary stereo is mixed as openai-whisper does",
)
@pytest.mark.parametrize(
    "gains", [(1, -1), (-0.8, 1), (0, 1), (0, 0, 1, 0, 0, 0), (1, -1, 0, 0, 0, 0)], ids=str
)
def test_channels_that_cancel_or_are_silent(
    server: Server, tmp_path: Path, gains: tuple[float, ...]
) -> None:
    given = (integers(CLIP) * np.array(gains)).astype(np.int16)

    assert text_of_bytes(server, wav(given), tmp_path / "channels.wav") == TEXT


@promises(
    "Requests",
    "`file`: a header that states up to a second too much, or too little: all there is is read",
    "extension",
)
@pytest.mark.parametrize("ahead", [-40_000, -4_096, 4_096, 16_384])
def test_header_that_is_wrong(server: Server, tmp_path: Path, ahead: int) -> None:
    given = integers(CLIP)
    content = wav(given, length=given.nbytes + ahead)

    assert text_of_bytes(server, content, tmp_path / "header.wav") == TEXT


@promises(
    "Requests", "`file`: several recordings in a row in one file are one transcript", "extension"
)
@pytest.mark.parametrize("rate", [SAMPLE_RATE, 2 * SAMPLE_RATE])
def test_recordings_in_a_row(server: Server, tmp_path: Path, rate: int) -> None:
    second = np.repeat(integers(SECOND), rate // SAMPLE_RATE, axis=0)
    content = wav(integers(CLIP)) + wav(second, rate)

    text = text_of_bytes(server, content, tmp_path / "row.wav")

    assert text.lower().startswith(TEXT.removesuffix("modern."))
    assert text.endswith("stamp don't stop at women and children.")
