"""The language of a recording, by a server that can tell it alone."""

from __future__ import annotations

from dataclasses import dataclass

from client.backend.errors import RecordingError
from client.backend.request import Recording
from client.remote.form import upload_name
from client.remote.requests import Requests

_PATH = "audio/detect-language"


@dataclass(frozen=True)
class Detection:
    """The most probable language; without speech there is none."""

    code: str | None
    language: str | None
    probability: float


async def detected(requests: Requests, recording: Recording, model: str) -> Detection:
    """The language that is spoken.

    Raises:
        RecordingError: the recording cannot be read.
        NoServiceError: the server cannot tell languages, refuses the key, or has no such model.
        OSError: the file cannot be opened.
    """
    with recording.path.open("rb") as file:
        answer = await requests.persistently(
            "POST",
            requests.server.endpoint(_PATH),
            data={"model": model},
            files={"file": (upload_name(recording.path), file)},
        )
    try:
        told = answer.json()
        return Detection(told["code"], told["language"], float(told["probability"]))
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError("the server's answer is no detection") from error
