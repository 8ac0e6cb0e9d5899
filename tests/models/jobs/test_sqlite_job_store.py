"""The store of jobs: nothing lost, each job once, keys in turn, each key for itself."""

from __future__ import annotations

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import IdempotencyError, JobDiskError, JobStoreError, OverloadedError
from models.jobs.job import Job, JobError
from models.jobs.job_budget import JobBudget
from models.jobs.job_store import LONE_CRASHES, MAX_CRASHES, JobOutcome, JobPage
from models.jobs.sqlite_job_store import SqliteJobStore
from tests.models.jobs.made import WIDE, Clock, new_job, store_in

BROKEN = JobError("It broke.", code="worker_ended")


def added(store: SqliteJobStore, *owners: str) -> list[Job]:
    return [store.add(new_job(owner), WIDE) for owner in owners]


def claimed(store: SqliteJobStore, worker: str = "w", *, is_alone: bool = True) -> Job:
    job = store.claim(worker, is_alone=is_alone)
    assert job is not None
    return job


def test_job_comes_back_as_it_was_added_after_the_store_was_opened_again(tmp_path: Path) -> None:
    new = new_job()
    store = store_in(tmp_path)
    store.add(new, WIDE)
    store.close("w")

    job = store_in(tmp_path).get("a", new.id)

    assert job is not None
    assert (job.status, job.progress, job.created) == ("queued", 0, Clock.now)
    assert {name: getattr(job, name) for name in vars(new)} == vars(new)


def test_job_is_nobody_elses(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    (job,) = added(store, "a")

    assert store.get("b", job.id) is None
    assert store.number("b", job.id) is None
    assert store.page("b", JobPage(10)) == []
    assert not store.cancel("b", job.id)
    assert store.remove("b", job.id) is None
    assert store.get("a", job.id) == job


def test_keys_take_turns_and_jobs_of_a_key_go_by_age(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    jobs = added(store, "a", "a", "a", "b", "b", "c")

    order = [claimed(store).id for _ in jobs]

    assert order == [jobs[n].id for n in (0, 3, 5, 1, 4, 2)]
    assert store.claim("w", is_alone=True) is None


def test_position_is_the_place_in_the_order_of_turns(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    jobs = added(store, "a", "a", "a", "b", "b", "c")

    assert [store.position(job) for job in jobs] == [3, 5, 6, 3, 5, 3]


def test_each_job_is_claimed_once_by_two_stores_of_one_file(tmp_path: Path) -> None:
    stores = [store_in(tmp_path), store_in(tmp_path)]
    jobs = added(stores[0], *(["a"] * 20))

    with ThreadPoolExecutor(4) as threads:
        found = list(
            threads.map(
                lambda n: stores[n % 2].claim(f"w{n % 2}", is_alone=False), range(2 * len(jobs))
            )
        )

    assert sorted(job.id for job in found if job) == sorted(job.id for job in jobs)


def test_progress_rises_and_is_complete_with_the_job_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    added(store, "a")
    job_id = claimed(store).id

    shown = []
    for percent in (10, 40, 30, 100):
        assert store.progress(job_id, "w", percent)
        job = store.get("a", job_id)
        assert job is not None
        shown.append(job.progress)
    assert shown == [10, 40, 40, 99]

    assert store.finish(job_id, "w", JobOutcome(seconds=61.5, nbytes=7))
    job = store.get("a", job_id)
    assert job is not None
    assert (job.status, job.progress, job.seconds, job.nbytes) == ("completed", 100, 61.5, 7)


@pytest.mark.parametrize("ends", ["cancelled", "removed", "given back", "another's"])
def test_job_that_is_a_workers_no_more_is_not_ended_by_it(tmp_path: Path, ends: str) -> None:
    store = store_in(tmp_path)
    added(store, "a")
    job_id = claimed(store).id
    if ends == "cancelled":
        assert store.cancel("a", job_id)
    elif ends == "removed":
        assert store.remove("a", job_id)
    elif ends == "given back":
        store.give_back("w")
    before = store.get("a", job_id)

    worker = "v" if ends == "another's" else "w"
    assert not store.progress(job_id, worker, 50)
    assert not store.finish(job_id, worker, JobOutcome(seconds=1.0))
    assert store.get("a", job_id) == before


def test_job_that_was_given_back_has_not_crashed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    added(store, "a", "a")
    first, second = claimed(store), claimed(store, "v")

    store.give_back("w")

    assert store.workers() == {"v"}
    job = claimed(store, is_alone=False)
    assert (job.id, job.crashes) == (first.id, 0)
    assert store.progress(second.id, "v", 1)


def test_store_that_is_closed_has_given_back_its_workers_jobs(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    added(store, "a", "a")
    first, _ = claimed(store), claimed(store, "v")

    store.close("w")

    with pytest.raises(JobStoreError):
        store.claim("w", is_alone=True)
    again = store_in(tmp_path)
    assert again.workers() == {"v"}
    assert claimed(again).id == first.id


def test_job_that_crashed_is_tried_at_last_first_and_alone_and_fails_the_third_time(
    tmp_path: Path,
) -> None:
    store = store_in(tmp_path)
    (bad,) = added(store, "a")
    assert claimed(store).id == bad.id
    for crashes in range(1, MAX_CRASHES):
        (other,) = added(store, "b")
        (job,) = store.crashed("w", BROKEN)
        assert (job.status, job.crashes, job.error) == ("queued", crashes, None)
        if crashes < LONE_CRASHES:
            assert claimed(store, "v", is_alone=False).id == other.id
            assert claimed(store, is_alone=False).id == bad.id
        else:
            assert store.claim("w", is_alone=False) is None
            assert claimed(store).id == bad.id
        assert store.remove("b", other.id)

    (job,) = store.crashed("w", BROKEN)

    assert (job.status, job.crashes, job.error) == ("failed", MAX_CRASHES, BROKEN)
    assert store.claim("w", is_alone=True) is None


def test_crash_of_one_job_leaves_the_workers_others(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    added(store, "a", "a")
    first, second = claimed(store), claimed(store)

    assert [job.id for job in store.crashed("w", BROKEN, first.id)] == [first.id]

    assert store.progress(second.id, "w", 1)
    assert not store.progress(first.id, "w", 1)


def test_list_goes_by_age_from_a_cursor(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    ids = [job.id for job in added(store, *(["a"] * 5))]
    after = store.number("a", ids[1])

    def listed(page: JobPage) -> list[int]:
        return [ids.index(job.id) for job in store.page("a", page)]

    assert listed(JobPage(3)) == [4, 3, 2]
    assert listed(JobPage(9, after)) == [0]
    assert listed(JobPage(2, after, "asc")) == [2, 3]
    store.cancel("a", ids[3])
    assert listed(JobPage(9, status="cancelled")) == [3]


def test_idempotency_key_gives_the_same_job_and_no_other(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    first = store.add(new_job(key="k"), WIDE)

    assert store.add(new_job(key="k"), WIDE) == first
    with pytest.raises(IdempotencyError):
        store.add(new_job(key="k", digest="other"), WIDE)
    assert store.add(new_job("b", key="k"), WIDE).id != first.id
    assert store.add(new_job(), WIDE).id != first.id
    assert store.remove("a", first.id)
    assert store.add(new_job(key="k", digest="other"), WIDE).id != first.id


def test_budget_counts_jobs_that_are_open_and_half_of_it_is_a_keys(tmp_path: Path) -> None:
    store, budget = store_in(tmp_path), JobBudget(240)
    first = store.add(new_job("a"), budget)
    store.add(new_job("a"), budget)
    with pytest.raises(OverloadedError):
        store.add(new_job("a"), budget)
    store.add(new_job("b"), budget)

    assert store.cancel("a", first.id)
    store.add(new_job("a"), budget)


def test_budget_takes_a_recording_of_any_length_where_nothing_is_open(tmp_path: Path) -> None:
    store, budget = store_in(tmp_path), JobBudget(100)
    store.add(new_job("", seconds=5000), budget)

    with pytest.raises(OverloadedError):
        store.add(new_job("", seconds=1), budget)


def test_budget_counts_a_job_as_a_second_at_least(tmp_path: Path) -> None:
    store, budget = store_in(tmp_path), JobBudget(2)
    store.add(new_job("", seconds=0), budget)
    store.add(new_job("", seconds=0.1), budget)

    with pytest.raises(OverloadedError):
        store.add(new_job("", seconds=0), budget)


def test_budget_of_the_disk_counts_fields_as_long_as_there_is_the_job(tmp_path: Path) -> None:
    store, budget = store_in(tmp_path), JobBudget(1000, nbytes=3000)
    large = replace(new_job(nbytes=0), fields={"prompt": ["x" * 2000]})
    store.add(large, budget)
    assert store.cancel("a", large.id)

    with pytest.raises(JobDiskError):
        store.add(replace(large, id="another"), budget)
    assert store.remove("a", large.id)
    store.add(large, budget)


def test_list_is_without_fields(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    (job,) = added(store, "a")

    assert store.page("a", JobPage(10)) == [replace(job, fields={})]


def test_budget_of_the_disk_counts_uploads_and_results(tmp_path: Path) -> None:
    store, budget = store_in(tmp_path), JobBudget(1000, nbytes=430)
    added(store, "a", "a")
    with pytest.raises(JobDiskError):
        store.add(new_job(), budget)

    store.finish(claimed(store).id, "w", JobOutcome(nbytes=10))
    store.add(new_job(), budget)


def test_expiry_is_by_the_clock_and_takes_nothing_from_a_worker(tmp_path: Path) -> None:
    clock = Clock()
    store = store_in(tmp_path, clock)
    added(store, "a", "a", "a")
    done, running = claimed(store), claimed(store)
    store.finish(done.id, "w", JobOutcome(seconds=60.0))

    clock.now += 99
    assert store.expire() == []
    clock.now += 3600
    assert [job.id for job in store.expire()] == [done.id]
    assert store.get("a", done.id) is None
    assert store.progress(running.id, "w", 5)
    assert store.totals().by_status == {"queued": 1, "in_progress": 1}


def test_totals_are_of_those_that_wait(tmp_path: Path) -> None:
    clock = Clock()
    store = store_in(tmp_path, clock)
    assert store.totals().oldest is None
    added(store, "a")
    claimed(store)
    clock.now += 5
    added(store, "b", "b")

    totals = store.totals()

    assert (totals.queued_seconds, totals.oldest) == (120.0, clock.now)
    assert totals.by_status == {"queued": 2, "in_progress": 1}


def test_copy_of_a_store_at_any_moment_opens_with_what_was_told(tmp_path: Path) -> None:
    """As after a power cut: what is on the disk is the database and its log, at that moment."""
    folder = tmp_path / "store"
    folder.mkdir()
    store = store_in(folder)
    for count in range(1, 6):
        job = store.add(new_job(), WIDE)
        claimed(store)
        copy = tmp_path / str(count)
        shutil.copytree(folder, copy)
        again = store_in(copy)
        assert again.totals().by_status == {"in_progress": count}
        found = again.get("a", job.id)
        assert found is not None
        assert found.worker == "w"


def test_database_of_a_later_version_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store_in(tmp_path).close("w")
    database = sqlite3.connect(tmp_path / "jobs.sqlite3")
    database.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(JobStoreError, match="at present") as raised:
        store_in(tmp_path)
    # Clients are told of it, and are not to know the server's folders.
    assert str(tmp_path) not in str(raised.value)
    assert f"{tmp_path / 'jobs.sqlite3'} is of a later version" in caplog.text


def test_file_that_is_no_database_is_the_stores_error(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite3").write_bytes(b"no database" * 1000)

    with pytest.raises(JobStoreError):
        store_in(tmp_path)


def test_transaction_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    new = new_job()
    store.add(new, WIDE)

    with pytest.raises(JobStoreError):
        store.add(new, WIDE)  # of the same id

    assert len(store.page("a", JobPage(10))) == 1
    added(store, "a")
    assert len(store.page("a", JobPage(10))) == 2
