"""The files of jobs: their uploads, results and events; on the disk before anybody is told.

An upload's name has its worker's id behind the job's: what has no row is left over if that worker
has died, and on its way to one if it lives. A result is written under such a name and renamed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from models.checkpoints.durable_files import durable_file, fsync_directory
from models.jobs.event_file import EventFile
from models.jobs.job_store import IsAlive, JobFiles
from models.jobs.transcript_file import read_transcript, transcript_bytes
from models.text.transcript import Transcript
from models.units import MIB

_RESULT, _EVENTS = ".json.gz", ".jsonl"


@dataclass(frozen=True)
class KeptUpload:
    """An upload that is on the disk: its file's name, its size in bytes and its SHA-256."""

    name: str
    nbytes: int
    sha256: str


class JobFolder:
    """The folder of a store of jobs; its folders are made, for this user alone."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.workers, self._uploads = root / "workers", root / "uploads"
        self._results, self._events = root / "results", root / "events"
        for folder in (self.workers, self._uploads, self._results, self._events):
            folder.mkdir(mode=0o700, exist_ok=True)

    def keep_upload(self, job_id: str, worker: str, source: BinaryIO) -> KeptUpload:
        """Copy a recording; nothing is left of one that cannot be kept.

        Raises:
            OSError: there is no room.
        """
        name = f"{job_id}.{worker}"
        path = self._uploads / name
        try:
            with durable_file(path) as out:
                for piece in _pieces(source):
                    out.write(piece)
            fsync_directory(self._uploads)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return KeptUpload(name, path.stat().st_size, out.sha256)

    def open_upload(self, name: str) -> BinaryIO:
        """An upload, to be read; raises `FileNotFoundError`."""
        return (self._uploads / name).open("rb")

    def remove_upload(self, name: str) -> None:
        """Remove an upload, if it is there."""
        (self._uploads / name).unlink(missing_ok=True)

    def write_result(self, job_id: str, worker: str, transcript: Transcript) -> int:
        """Keep a transcript in the place of what there is of an earlier attempt; gives its bytes.

        Raises:
            OSError: there is no room.
        """
        path = self._results / f"{job_id}.{worker}"
        path.unlink(missing_ok=True)
        data = transcript_bytes(transcript)
        try:
            with durable_file(path) as out:
                out.write(data)
            path.replace(self._result(job_id))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        fsync_directory(self._results)
        return len(data)

    def read_result(self, job_id: str) -> Transcript:
        """The transcript of a completed job; raises `JobStoreError`."""
        return read_transcript(self._result(job_id))

    def events(self, job_id: str) -> EventFile:
        """The events of a job."""
        return EventFile(self._events / f"{job_id}{_EVENTS}")

    def remove_result(self, job_id: str) -> None:
        """Remove a result, if it is there."""
        self._result(job_id).unlink(missing_ok=True)

    def remove_text(self, job_id: str) -> None:
        """Remove a job's result and events, if they are there."""
        self.remove_result(job_id)
        self.events(job_id).remove()

    def sweep(self, kept: Callable[[], JobFiles], is_alive: IsAlive) -> None:
        """Remove the files of no job that dead workers have left."""
        uploads = list(self._uploads.iterdir())
        texts = [*self._results.iterdir(), *self._events.iterdir()]
        # Asked after the files were listed: what is there by then has had its row.
        files = kept()
        for path in uploads:
            if path.name not in files.uploads and not is_alive(_behind_dot(path)):
                path.unlink(missing_ok=True)
        for path in texts:
            if path.name.endswith((_RESULT, _EVENTS)):
                is_left = path.name.partition(".")[0] not in files.jobs
            else:
                is_left = not is_alive(_behind_dot(path))
            if is_left:
                path.unlink(missing_ok=True)

    def _result(self, job_id: str) -> Path:
        return self._results / f"{job_id}{_RESULT}"


def _behind_dot(path: Path) -> str:
    """The worker in a file's name."""
    return path.name.rpartition(".")[2]


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    source.seek(0, os.SEEK_SET)
    while piece := source.read(MIB):
        yield piece
    source.seek(0, os.SEEK_SET)
