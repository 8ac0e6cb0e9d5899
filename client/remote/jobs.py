"""Background jobs of a server: submission, status, result, cancellation, removal."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import httpx

from client.backend.errors import RecordingError
from client.backend.events import Progress
from client.backend.request import Recording, Request
from client.remote.abilities import Abilities
from client.remote.form import form_of, path_of, upload_name
from client.remote.requests import Requests

_PATH = "audio/transcriptions"
_ID = re.compile(r"[A-Za-z0-9_-]+")
_PAGE = 100
# The pair of a job's metadata that has the recording's name.
_NAME = "file"
_ENDED = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class Job:
    """A job as the server tells it; `members` are those of its JSON object."""

    members: Mapping[str, Any]

    @staticmethod
    def of(answer: object) -> Job:
        """The job in an answer.

        Raises:
            RecordingError: it is none.
        """
        if isinstance(answer, dict) and isinstance(answer.get("id"), str):
            return Job(answer)
        raise RecordingError("the server's answer is no job")

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.members["id"])

    @property
    def status(self) -> str:
        """`queued`, `in_progress`, `completed`, `failed` or `cancelled`."""
        return str(self.members.get("status"))

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in _ENDED

    @property
    def name(self) -> str:
        """The name of its recording's file, without folders; its id where none is known."""
        pairs = self.members.get("metadata")
        told = pairs.get(_NAME) if isinstance(pairs, dict) else None
        name = PurePosixPath(str(told or "").replace("\\", "/")).name
        return self.id if name in ("", "..") or "\0" in name else name

    @property
    def progress(self) -> Progress:
        """How far it is: the server tells whole percents of the recording."""
        total = _number(self.members.get("audio_seconds"))
        done = total * _number(self.members.get("progress")) / 100
        return Progress(int(_number(self.members.get("position"))), done, total, None)

    @property
    def problem(self) -> str:
        """Why it has no result."""
        error = self.members.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        return str(message or f"the job is {self.status}")


class Jobs:
    """The jobs of a server; each call is repeated where that may help.

    Raises:
        RecordingError: there is no such job, or nothing is answered that is one.
        NoServiceError: no server answers, it refuses the key, or it has no jobs.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests, self._server = requests, requests.server

    async def submit(
        self, recording: Recording, request: Request, tell: Callable[[str], None]
    ) -> Job:
        """The job of a recording, which the server has kept.

        `tell` is called with the reason when the server has to be waited for.

        Raises:
            RefusedOptionError: the server refuses an option.
            OSError: the file cannot be read.
        """
        form = form_of(request, Abilities(writes_subtitles=True))
        form |= {"background": "true", f"metadata[{_NAME}]": _sent_name(recording)}
        with recording.path.open("rb") as file:
            answer = await self._requests.persistently(
                "POST",
                self._server.endpoint(path_of(request)),
                tell,
                data=form,
                files={"file": (upload_name(recording.path), file)},
                # Sent again, the request gives the same job.
                headers={"idempotency-key": uuid.uuid4().hex},
            )
        return Job.of(_body(answer))

    async def get(self, job_id: str) -> Job:
        """A job, as it is now."""
        answer = await self._requests.persistently("GET", self._url(job_id))
        return Job.of(_body(answer))

    async def content(self, job_id: str, *, has_words: bool) -> str:
        """The verbose_json of a completed job, with times of words if it was made with them."""
        query: dict[str, str | list[str]] = {"response_format": "verbose_json"}
        if has_words:
            query["timestamp_granularities[]"] = ["segment", "word"]
        url = self._url(job_id, "content").copy_merge_params(query)
        return (await self._requests.persistently("GET", url)).text

    async def cancel(self, job_id: str) -> None:
        """Stop a job."""
        await self._requests.persistently("POST", self._url(job_id, "cancel"))

    async def remove(self, job_id: str) -> None:
        """Remove a job, with its recording and its result."""
        await self._requests.persistently("DELETE", self._url(job_id))

    async def newest(self, limit: int, status: str | None = None) -> AsyncIterator[Job]:
        """The newest jobs, at most so many, the newest first."""
        query = {"status": status} if status else {}
        while limit > 0:
            page = {**query, "limit": str(min(limit, _PAGE))}
            url = self._server.endpoint(_PATH).copy_merge_params(page)
            answer = await self._requests.persistently("GET", url)
            body = _body(answer)
            jobs = body.get("data") if isinstance(body, dict) else None
            if not isinstance(jobs, list):
                raise RecordingError("the server's answer is no list of jobs")
            for each in jobs:
                yield Job.of(each)
            if not jobs or not body.get("has_more"):
                return
            limit, query = limit - len(jobs), {**query, "after": Job.of(jobs[-1]).id}

    def _url(self, job_id: str, *below: str) -> httpx.URL:
        """The address of a job, or of what is below it.

        Raises:
            RecordingError: it is no id, and might lead to another address.
        """
        if not is_id(job_id):
            raise RecordingError(f"{job_id!r} is no id of a job")
        return self._server.endpoint("/".join((_PATH, job_id, *below)))


def is_id(text: str) -> bool:
    """Whether a job may have this id: no other text is a part of an address or of a name."""
    return _ID.fullmatch(text) is not None


def _sent_name(recording: Recording) -> str:
    """The file's name; what is no text is replaced, as it could not be sent."""
    name = "stdin" if recording.is_stdin else recording.path.name
    return name.encode("utf-8", "replace").decode()


def _body(answer: httpx.Response) -> Any:  # noqa: ANN401 - of whatever kind
    with suppress(ValueError):
        return answer.json()
    return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
