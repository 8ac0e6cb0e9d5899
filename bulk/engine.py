"""The protocol of what a run's rows are transcribed by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from client.backend.request import Format, Request


@dataclass(frozen=True)
class RowFile:
    """A row whose file is on this machine; `name` is what its suffix is taken of."""

    row_id: str
    path: Path
    name: str
    request: Request


@dataclass(frozen=True)
class Transcribed:
    """verbose_json's members, and the files of the formats that were asked for."""

    members: Mapping[str, Any]
    files: Mapping[Format, str]


@dataclass(frozen=True)
class EngineFacts:
    """What an engine is: the model by a name that no other has, and how many rows it is given."""

    model_tag: str
    in_flight: int


class Engine(Protocol):
    """Transcribes rows, several at once."""

    async def start(self, request: Request) -> EngineFacts:
        """Find out whether such requests can be served.

        Raises:
            NoServiceError: nothing can be done.
            UsageError: something that is asked for cannot be had.
        """
        ...

    async def transcribe(self, row_file: RowFile) -> Transcribed:
        """The text of a recording.

        Raises:
            RowError: it failed; others may not.
            RefusedOptionError: an option of its request is refused.
            NoServiceError: nothing can be done any more.
        """
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...
