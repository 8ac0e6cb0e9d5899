"""A row by a backend of the command-line client: a server, or the models of this process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from bulk.engine import RowFile, Transcribed
from bulk.errors import AUDIO, UNAVAILABLE, RowError, row_error
from client.backend.errors import GivenUpError, NoTranscriptError, RecordingError
from client.backend.events import Finished
from client.backend.protocol import Backend
from client.backend.request import Recording
from client.backend.transcript import Transcript


async def transcribed(backend: Backend, row_file: RowFile) -> Transcribed:
    """The row's text and files.

    Raises:
        RowError: it failed. Its cause is the client's error.
        RefusedOptionError, NoServiceError: so would others.
    """
    try:
        transcript = await _transcript(backend, row_file)
        texts = {
            name: await backend.written(transcript, name, row_file.request)
            for name in row_file.request.formats
        }
        return Transcribed(_checked(transcript.members), texts)
    except (GivenUpError, NoTranscriptError) as error:
        raise RowError(UNAVAILABLE, str(error)) from error
    except RecordingError as error:
        raise RowError(AUDIO, str(error)) from error
    except OSError as error:
        raise row_error(error) from error


async def _transcript(backend: Backend, row_file: RowFile) -> Transcript:
    recording = Recording(row_file.path, row_file.name, row_file.path)
    async with aclosing(backend.transcribe(recording, row_file.request)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.transcript
    raise NoTranscriptError("the answer ended before the transcript")


def _checked(members: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a result is made of, if it is of its types."""
    for name in ("segments", "words"):
        if not isinstance(members.get(name), list | None):
            raise NoTranscriptError(f"the answer is no transcript: its {name} are no list")
    return members
