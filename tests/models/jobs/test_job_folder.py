"""Files of jobs: kept whole or not at all, and swept where nobody has them."""

from __future__ import annotations

import gzip
import hashlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from models.errors import JobStoreError
from models.jobs.job_folder import JobFolder
from models.jobs.job_store import JobFiles
from models.text.transcript import Segment, TokenScore, Transcript, Word

SEGMENT = Segment(
    id=3,
    seek=12,
    start=0.1,
    end=1 / 3,
    text=" naïve",
    tokens=(50364, 7, 50464),
    temperature=0.2,
    avg_logprob=-0.123456789,
    compression_ratio=1.5,
    no_speech_prob=float("nan"),
    # A half of a character.
    scores=(TokenScore(b" na\xc3", -0.5), TokenScore(b"\xafve", -1e-300)),
    words=(Word(" naïve", 0.1, 0.3, 0.7),),
    language="en",
    flags=("low_logprob",),
)
TRANSCRIPT = Transcript("transcribe", "en", 12.0000001, (SEGMENT,))


class Breaking(BytesIO):
    """A file whose second piece cannot be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The first piece, then an error."""
        if self.tell():
            raise OSError("broken")
        return super().read(size)


def test_upload_is_kept_and_read_again(tmp_path: Path) -> None:
    folder, audio = JobFolder(tmp_path / "jobs"), bytes(range(256)) * 9000
    source = BytesIO(audio)
    source.seek(5)

    kept = folder.keep_upload("job", "worker", source)

    assert (kept.nbytes, kept.sha256) == (len(audio), hashlib.sha256(audio).hexdigest())
    with folder.open_upload(kept.name) as file:
        assert file.read() == audio
    folder.remove_upload(kept.name)
    folder.remove_upload(kept.name)
    with pytest.raises(FileNotFoundError):
        folder.open_upload(kept.name)


def test_nothing_is_left_of_an_upload_that_breaks_off(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)

    with pytest.raises(OSError, match="broken"):
        folder.keep_upload("job", "worker", cast("BinaryIO", Breaking(bytes(3_000_000))))

    assert list((tmp_path / "uploads").iterdir()) == []


def test_folders_are_for_this_user_alone(tmp_path: Path) -> None:
    JobFolder(tmp_path / "a" / "jobs")
    assert (tmp_path / "a" / "jobs").stat().st_mode & 0o077 == 0


def test_transcript_comes_back_exactly(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)

    nbytes = folder.write_result("job", "worker", TRANSCRIPT)
    found = folder.read_result("job")

    assert repr(found) == repr(TRANSCRIPT)  # not `==`: a NaN is none
    assert [path.stat().st_size for path in (tmp_path / "results").iterdir()] == [nbytes]


def test_second_attempt_replaces_the_result_of_the_first(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.write_result("job", "first", Transcript("transcribe", "de", 1.0, ()))

    folder.write_result("job", "second", TRANSCRIPT)

    assert folder.read_result("job").language == "en"


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "other", "no member", "newer"])
def test_result_that_cannot_be_read_is_the_stores_error(tmp_path: Path, damage: str) -> None:
    folder = JobFolder(tmp_path)
    folder.write_result("job", "worker", TRANSCRIPT)
    (path,) = (tmp_path / "results").iterdir()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:50])
    elif damage == "flipped":
        # The first block of the deflated data is of no type that there is.
        path.write_bytes(path.read_bytes()[:10] + b"\xff" * 50)
    elif damage == "other":
        path.write_bytes(gzip.compress(b"[1]"))
    elif damage == "no member":
        path.write_bytes(gzip.compress(b'{"version": 1, "segments": [{}]}'))
    else:
        path.write_bytes(gzip.compress(b'{"version": 2}'))

    with pytest.raises(JobStoreError):
        folder.read_result("job")


def test_sweep_takes_what_dead_workers_have_left(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    for job in ("known", "unknown"):
        for worker in ("dead", "alive"):
            folder.keep_upload(job, worker, BytesIO(b"x"))
        folder.write_result(job, "dead", TRANSCRIPT)
        folder.events(job).append(["{}"])
    (tmp_path / "results" / "known.dead").write_bytes(b"half")
    (tmp_path / "results" / "known.alive").write_bytes(b"half")

    folder.sweep(lambda: JobFiles({"known.dead"}, {"known"}), lambda worker: worker == "alive")

    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {
        "uploads/known.dead",
        "uploads/known.alive",
        "uploads/unknown.alive",
        "results/known.json.gz",
        "results/known.alive",
        "events/known.jsonl",
    }
