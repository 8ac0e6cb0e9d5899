"""Events of jobs in the store: when they are due, who tells them, and what of them is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import JobDiskError
from models.jobs import sqlite_webhooks
from models.jobs.job import Job, JobError, NewJob
from models.jobs.job_budget import JobBudget
from models.jobs.job_store import (
    MAX_CRASHES,
    WEBHOOK_KEEP_SECONDS,
    WEBHOOKS_PER_HOST,
    WEBHOOKS_PER_OWNER,
    JobOutcome,
    WebhookAttempt,
)
from models.jobs.sqlite_job_store import SqliteJobStore
from models.jobs.sqlite_rows import row_nbytes
from tests.models.jobs.made import WIDE, Clock, new_job, store_in

URL = "https://example.org/done"
TAKEN = WebhookAttempt(200, None, None)
RETRIED = WebhookAttempt(500, None, 30.0)
GIVEN_UP = WebhookAttempt(None, "timeout", None)


def hooked(owner: str = "a", url: str = URL) -> NewJob:
    return replace(new_job(owner), webhook_url=url, webhook_text=True)


def due(store: SqliteJobStore, owner: str = "", url: str = URL) -> str:
    """A job whose event is due from now on."""
    job = store.add(hooked(owner, url), WIDE)
    assert store.cancel(owner, job.id)
    return job.id


def claimed(store: SqliteJobStore, worker: str = "x") -> list[str]:
    """The jobs whose events a worker is given, until it is given none."""
    return [job.id for job in iter(lambda: store.webhooks.claim(worker), None)]


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
    ids = [due(stores[0], url=f"https://{n}.example.org/") for n in range(10)]

    with ThreadPoolExecutor(4) as threads:
        claim = [stores[n % 2].webhooks.claim for n in range(20)]
        found = list(threads.map(lambda n: claim[n](f"w{n % 2}"), range(20)))

    assert sorted(job.id for job in found if job) == sorted(ids)
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


def test_events_are_told_in_the_order_in_which_they_are_due(tmp_path: Path) -> None:
    clock = Clock()
    store = store_in(tmp_path, clock)
    old = due(store)
    assert claimed(store) == [old]
    assert store.webhooks.note(old, "x", RETRIED)
    clock.now += 29
    before = due(store)
    clock.now += 2
    after = due(store)

    found = []
    while job := store.webhooks.claim("x"):
        assert store.webhooks.note(job.id, "x", TAKEN)
        found.append(job.id)
    assert found == [before, old, after]


def test_host_with_its_share_does_not_keep_others_waiting(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    slow = [due(store, url=f"https://Example.org:{port}/{port}") for port in range(1, 10)]
    other = due(store, url="https://other.example/")

    assert claimed(store) == [slow[0], other, *slow[1:WEBHOOKS_PER_HOST]]
    assert claimed(store, "y") == slow[WEBHOOKS_PER_HOST : 2 * WEBHOOKS_PER_HOST]
    # What is over makes room for the next.
    assert store.webhooks.note(slow[0], "x", TAKEN)
    assert claimed(store) == slow[4:5]


def test_host_that_is_told_nothing_goes_first(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    slow = [due(store, url=f"https://{n % 4}.example.org/") for n in range(40)]
    assert claimed(store) == slow[: 4 * WEBHOOKS_PER_HOST]
    other = due(store, url="https://other.example/")

    assert store.webhooks.note(slow[0], "x", TAKEN)
    assert claimed(store)[0] == other


@pytest.mark.parametrize("owner", ["a", ""])
def test_key_with_its_share_does_not_keep_others_waiting(tmp_path: Path, owner: str) -> None:
    store = store_in(tmp_path)
    many = [due(store, owner, f"https://{n}.example.org/") for n in range(10)]
    other = due(store, "b", "https://other.example/")

    # Without keys nobody can be told from others.
    assert claimed(store) == [*(many[:WEBHOOKS_PER_OWNER] if owner else many), other]


def test_claim_reads_an_index_alone_and_in_its_order(tmp_path: Path) -> None:
    store_in(tmp_path)
    names = {"now": 0, "worker": "x", "per_host": 1, "per_owner": 1}
    with sqlite3.connect(tmp_path / "jobs.sqlite3") as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN {sqlite_webhooks.NEXT}", names).fetchall()
    database.close()
    steps = [row[3] for row in plan if row[1] == 0]
    assert steps[0] == "SEARCH jobs USING COVERING INDEX by_webhook (webhook_due<?)"
    assert not [step for step in steps if "ORDER BY" in step]


def test_address_of_a_webhook_counts_in_what_jobs_take(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    job = hooked(url=f"https://example.org/{'x' * 2000}")
    alone = row_nbytes(job)
    assert alone > 2000
    budget = JobBudget(1_000_000, 2 * alone - 1)
    assert store.add(job, budget)
    with pytest.raises(JobDiskError):
        store.check(hooked(url=str(job.webhook_url)), budget)


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
    with sqlite3.connect(tmp_path / "jobs.sqlite3") as database:
        database.executescript(_FORMER)
    database.close()

    store = store_in(tmp_path)

    done, waiting = got(store, "transcription_1"), got(store, "transcription_2")
    assert (done.status, done.ended, done.expires) == ("completed", 30.0, 130.0)
    assert (done.webhook_url, done.webhook_state) == (None, None)
    assert done.metadata == {"episode": "42"}
    assert (waiting.status, waiting.upload) == ("queued", "b.w")
    assert claimed(store) == []
    finish(store, waiting)
    other = due(store)
    assert claimed(store) == [other]
    store.close("x")
    assert got(store_in(tmp_path), done.id) == done


# A store as version 1 made it, with a job that has ended and one that waits.
_FORMER = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    fields TEXT NOT NULL,
    metadata TEXT NOT NULL,
    upload TEXT NOT NULL,
    nbytes INTEGER NOT NULL,
    seconds REAL NOT NULL,
    keep_seconds INTEGER NOT NULL,
    digest TEXT NOT NULL,
    idempotency_key TEXT,
    status TEXT NOT NULL DEFAULT 'queued',
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    expires REAL,
    progress INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    turn INTEGER,
    error TEXT
);
CREATE UNIQUE INDEX by_idempotency_key ON jobs (owner, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX by_owner ON jobs (owner, number);
CREATE INDEX by_turn ON jobs (owner, turn);
CREATE INDEX by_status ON jobs (status, crashes, owner, number);
CREATE INDEX by_expiry ON jobs (expires) WHERE expires IS NOT NULL;
INSERT INTO jobs (id, owner, task, model, fields, metadata, upload, nbytes, seconds, keep_seconds,
    digest, status, created, started, ended, expires, progress, worker, turn)
VALUES ('transcription_1', 'a', 'transcribe', 'base', '{"model": ["base"]}', '{"episode": "42"}',
    'a.w', 100, 60.0, 100, 'd', 'completed', 10.0, 20.0, 30.0, 130.0, 100, 'w', 1);
INSERT INTO jobs (id, owner, task, model, fields, metadata, upload, nbytes, seconds, keep_seconds,
    digest, created)
VALUES ('transcription_2', 'a', 'transcribe', 'base', '{"model": ["base"]}', '{}',
    'b.w', 100, 60.0, 100, 'e', 40.0);
PRAGMA user_version = 1;
"""
