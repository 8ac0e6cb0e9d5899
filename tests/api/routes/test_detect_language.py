"""POST /v1/audio/detect-language."""

from __future__ import annotations

import pytest

from models.errors import AudioError
from tests.api.fake import FailingTranscriber, FakeTranscriber, client

PATH = "/v1/audio/detect-language"
FILES = {"file": ("a.wav", b"audio")}


@pytest.mark.parametrize("path", [PATH, PATH.removeprefix("/v1")])
def test_detection(path: str) -> None:
    response = client().post(path, data={"model": "whisper-1"}, files=FILES)
    assert response.status_code == 200
    assert response.json() == {
        "code": "en",
        "language": "english",
        "probability": 0.75,
        "languages": [
            {"code": "en", "language": "english", "probability": 0.75},
            {"code": "de", "language": "german", "probability": 0.25},
        ],
    }


def test_detection_among() -> None:
    data = {"model": "base", "languages[]": ["french", "it"]}
    languages = client().post(PATH, data=data, files=FILES).json()["languages"]
    assert [each["code"] for each in languages] == ["fr", "it"]


def test_detection_without_speech() -> None:
    silent = client(FakeTranscriber(segments=()))
    assert silent.post(PATH, data={"model": "base"}, files=FILES).json() == {
        "code": None,
        "language": None,
        "probability": 0.0,
        "languages": [],
    }


@pytest.mark.parametrize(
    ("data", "param", "status"),
    [({}, "model", 400), ({"model": "huge"}, "model", 404), ({"model": "base"}, "file", 400)],
)
def test_detection_error(data: dict[str, str], param: str, status: int) -> None:
    failing = client(FailingTranscriber(AudioError("The file is empty.")))
    response = failing.post(PATH, data=data, files=FILES)
    assert (response.status_code, response.json()["error"]["param"]) == (status, param)
