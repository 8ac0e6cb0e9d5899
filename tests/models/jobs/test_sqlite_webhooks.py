"""Events of jobs in the store: when they are due, who tells them, and what of them is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from models.jobs.job import Job, JobError, NewJob
from models.jobs.job_store import MAX_CRASHES, WEBHOOK_KEEP_SECONDS, JobOutcome, WebhookAttempt
from models.jobs.sqlite_job_store import SqliteJobStore
from tests.models.jobs.made import WIDE, Clock, new_job, store_in

URL = "https://example.org/done"
TAKEN = WebhookAttempt(200, None, None)
RETRIED = WebhookAttempt(500, None, 30.0)
GIVEN_UP = WebhookAttempt(None, "timeout", None)


def hooked(owner: str = "a") -> NewJob:
    return replace(new_job(owner), webhook_url=URL, webhook_text=True)


def got(store: SqliteJobStore, job_id: str) -> Job:
    job = store.get("a", job_id)
    assert job is not None
    return job


def finish(store: SqliteJobStore, job: Job) -> None:
    assert store.claim("w", is_alone=True)
    assert store.finish(job.id, "w", JobOutcome())


def fail(store: SqliteJobStore, job: Job) -> None:
    assert store.claim("w", is_alone=True)
    assert store.finish(job.id, "w", JobOutcome(JobError("It broke.")))


def crash(store: SqliteJobStore, job: Job) -> None:
    assert job.crashes == 0
    for _ in range(MAX_CRASHES):
        assert store.webhooks.claim("x") is None
        assert store.claim("w", is_alone=True)
        store.crashed("w", JobError("It broke."))


def cancel(store: SqliteJobStore, job: Job) -> None:
    assert store.cancel("a", job.id)


@pytest.mark.parametrize("end", [finish, fail, crash, cancel])
def test_event_is_due_when_the_job_ends_however_it_does(
    tmp_path: Path, end: Callable[[SqliteJobStore, Job], None]
) -> None:
    store = store_in(tmp_path)
    job = store.add(hooked(), WIDE)
    assert job.webhook_state == "waiting"
    assert store.webhooks.claim("x") is None

    end(store, job)

    found = store.webhooks.claim("x")
    assert found == got(store, job.id)
    assert (found.webhook_url, found.webhook_text, found.webhook_state) == (URL, True, "pending")


def test_job_without_a_webhook_has_no_event(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    job = store.add(new_job(), WIDE)
    finish(store, job)
    assert store.webhooks.claim("x") is None
    assert got(store, job.id).webhook_state is None


def test_attempts_are_noted_until_the_event_is_over(tmp_path: Path) -> None:
    clock = Clock()
    store = store_in(tmp_path, clock)
    job = store.add(hooked(), WIDE)
    finish(store, job)

    assert store.webhooks.claim("x")
    assert store.webhooks.note(job.id, "x", RETRIED)
    told = got(store, job.id)
    assert (told.webhook_attempts, told.webhook_status) == (1, 500)
    assert (told.webhook_due, told.webhook_state) == (clock.now + 30, "pending")
    clock.now += 29
    assert store.webhooks.claim("x") is None
    clock.now += 1
    assert store.webhooks.claim("x")
    assert store.webhooks.note(job.id, "x", TAKEN)
    told = got(store, job.id)
    assert (told.webhook_attempts, told.webhook_due, told.webhook_state) == (2, None, "delivered")
    clock.now += 1_000_000
    assert store.webhooks.claim("x") is None


def test_event_that_is_given_up_says_why(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    job = store.add(hooked(), WIDE)
    finish(store, job)
    assert store.webhooks.claim("x")
    assert store.webhooks.note(job.id, "x", GIVEN_UP)
    told = got(store, job.id)
    assert (told.webhook_state, told.webhook_status) == ("failed", None)
    assert told.webhook_error == "timeout"


def test_each_event_is_claimed_once_by_two_stores_of_one_file(tmp_path: Path) -> None:
    stores = [store_in(tmp_path), store_in(tmp_path)]
    jobs = [stores[0].add(hooked(), WIDE) for _ in range(10)]
    for job in jobs:
        assert stores[0].cancel("a", job.id)

    with ThreadPoolExecutor(4) as threads:
        claim = [stores[n % 2].webhooks.claim for n in range(20)]
        found = list(threads.map(lambda n: claim[n](f"w{n % 2}"), range(20)))

    assert sorted(job.id for job in found if job) == sorted(job.id for job in jobs)
    assert stores[0].webhooks.workers() == {"w0", "w1"}


@pytest.mark.parametrize("ends", ["given back", "closed"])
def test_event_that_a_worker_gives_back_is_anybodys(tmp_path: Path, ends: str) -> None:
    store, other = store_in(tmp_path), store_in(tmp_path)
    job = store.add(hooked(), WIDE)
    finish(store, job)
    assert store.webhooks.claim("x")
    assert other.webhooks.claim("y") is None

    if ends == "closed":
        store.close("x")
    else:
        store.webhooks.give_back("x")

    assert other.webhooks.workers() == set()
    found = other.webhooks.claim("y")
    assert found
    assert found.webhook_attempts == 0
    assert not other.webhooks.note(job.id, "x", TAKEN)
    assert other.webhooks.note(job.id, "y", TAKEN)


def test_first_attempts_go_before_others(tmp_path: Path) -> None:
    clock = Clock()
    store = store_in(tmp_path, clock)
    old, new = [store.add(hooked(), WIDE) for _ in range(2)]
    assert store.cancel("a", old.id)
    assert store.webhooks.claim("x")
    assert store.webhooks.note(old.id, "x", RETRIED)
    clock.now += 3600
    assert store.cancel("a", new.id)

    found = [store.webhooks.claim("x") for _ in range(2)]

    assert [job.id for job in found if job] == [new.id, old.id]


def test_removed_job_is_told_no_more(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    first, second = [store.add(hooked(), WIDE) for _ in range(2)]
    for job in (first, second):
        assert store.cancel("a", job.id)
    claimed = store.webhooks.claim("x")
    assert claimed
    assert claimed.id == first.id
    for job in (first, second):
        assert store.remove("a", job.id)
    assert store.webhooks.claim("x") is None
    assert not store.webhooks.note(first.id, "x", RETRIED)


def test_job_expires_when_its_event_is_over_and_could_be_answered(tmp_path: Path) -> None:
    clock = Clock()
    store = store_in(tmp_path, clock)
    job = store.add(hooked(), WIDE)
    finish(store, job)
    clock.now += job.keep_seconds
    assert store.expire(keeps_events=True) == []
    assert store.webhooks.claim("x")
    assert store.webhooks.note(job.id, "x", RETRIED)
    clock.now += 30
    assert store.expire(keeps_events=True) == []
    assert store.webhooks.claim("x")
    assert store.webhooks.note(job.id, "x", TAKEN)
    assert got(store, job.id).expires == clock.now + WEBHOOK_KEEP_SECONDS
    clock.now += WEBHOOK_KEEP_SECONDS - 1
    assert store.expire(keeps_events=True) == []
    clock.now += 1
    assert [each.id for each in store.expire(keeps_events=True)] == [job.id]


def test_job_with_much_time_left_expires_when_it_said(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    job = store.add(replace(hooked(), keep_seconds=86_400), WIDE)
    finish(store, job)
    before = got(store, job.id).expires
    assert store.webhooks.claim("x")
    assert store.webhooks.note(job.id, "x", TAKEN)
    assert got(store, job.id).expires == before


def test_events_that_nobody_tells_keep_no_job(tmp_path: Path) -> None:
    clock = Clock()
    store = store_in(tmp_path, clock)
    job = store.add(hooked(), WIDE)
    finish(store, job)
    clock.now += job.keep_seconds
    assert [each.id for each in store.expire()] == [job.id]


def test_store_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    job = store.add(new_job(), WIDE)
    store.close("w")
    with sqlite3.connect(tmp_path / "jobs.sqlite3") as database:
        database.executescript(_FORMER)
    database.close()

    store = store_in(tmp_path)

    assert store.get("a", job.id) == job
    other = store.add(hooked(), WIDE)
    assert store.cancel("a", other.id)
    assert store.webhooks.claim("x")
    store.close("x")
    assert store_in(tmp_path).get("a", job.id) == job


# Takes what version 2 has added away.
_FORMER = """
DROP INDEX by_webhook;
DROP INDEX by_webhook_worker;
ALTER TABLE jobs DROP COLUMN webhook_url;
ALTER TABLE jobs DROP COLUMN webhook_text;
ALTER TABLE jobs DROP COLUMN webhook_attempts;
ALTER TABLE jobs DROP COLUMN webhook_status;
ALTER TABLE jobs DROP COLUMN webhook_error;
ALTER TABLE jobs DROP COLUMN webhook_due;
ALTER TABLE jobs DROP COLUMN webhook_worker;
PRAGMA user_version = 1;
"""
