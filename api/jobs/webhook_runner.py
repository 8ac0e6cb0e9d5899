"""The runner of webhooks: sends the events of jobs that have ended, each until it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

from api.jobs.insisting import insisting
from api.jobs.job_answers import event_id, job_event
from api.jobs.job_config import OpenJobs
from api.jobs.job_log import log_webhook
from api.jobs.store_poll import StorePoll
from api.middleware.draining import Drain
from api.server_log import logger
from api.webhooks.sender import Reply, WebhookSender
from models.errors import JobStoreError
from models.jobs.job import Job, is_delivered
from models.jobs.job_store import WebhookAttempt

# What has come of an attempt: the event is taken, sent again later, or given up.
WebhookOutcome = Literal["delivered", "retried", "failed"]
# How long after an attempt there is another, in seconds; after the last one there is none.
SCHEDULE = (5.0, 30.0, 300.0, 1_800.0, 7_200.0, 21_600.0)
# How often the store is asked for events that are due.
POLL_SECONDS = 1.0
# How often events of workers that have died are looked for.
CLEAN_SECONDS = 10.0
# Until an attempt that could not be noted is noted again.
RETRY_SECONDS = 5.0
# Events that are sent at once.
PLACES = 8
# 410: the receiver is gone for good, and wants no more of it.
_GONE = 410


class WebhookRunner:
    """Sends events that are due, until the drain begins; a worker has one where webhooks are on.

    The time of an event's attempts is that of day: it stands in the store, and so outlives the
    server. An attempt counts as work of the drain, so that one under way may finish. `note` is told
    what has come of each.
    """

    def __init__(
        self,
        opened: OpenJobs,
        sender: WebhookSender,
        drain: Drain,
        note: Callable[[WebhookOutcome], None],
    ) -> None:
        self._store, self._folder, self._lock = opened.store.webhooks, opened.folder, opened.lock
        self._sender, self._drain, self._note = sender, drain, note
        self._sending: set[asyncio.Task[None]] = set()
        self._cleans_at = 0.0
        self._poll = StorePoll(self._look, POLL_SECONDS, "webhooks")

    def wake(self) -> None:
        """Look for events now."""
        self._poll.wake()

    def close(self) -> None:
        """Stop; events whose attempt is not noted are given back when the store is closed."""
        self._poll.close()
        for task in self._sending:
            task.cancel()

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._cleans_at:
            self._cleans_at = now + CLEAN_SECONDS
            await asyncio.to_thread(self._clean)
        await self._take()

    def _clean(self) -> None:
        for worker in self._store.workers():
            if not self._lock.is_alive(worker):
                self._store.give_back(worker)

    async def _take(self) -> None:
        while len(self._sending) < PLACES and not self._drain.has_begun:
            job = await asyncio.to_thread(self._store.claim, self._lock.id)
            # Of a drain that has begun meanwhile the event is given back when the store is closed.
            if job is None or self._drain.has_begun:
                return
            task = asyncio.create_task(self._tell(job))
            self._sending.add(task)
            task.add_done_callback(self._told)

    def _told(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self.wake()
        if not task.cancelled() and (error := task.exception()):
            logger.error("A webhook could not be noted", exc_info=error)

    async def _tell(self, job: Job) -> None:
        """Make an attempt at a job's event, and note it."""
        with suppress(TimeoutError):
            async with self._drain.running():
                reply = await self._answer(job)
                attempt, outcome = _attempt(job, reply)
                note = partial(self._store.note, job.id, self._lock.id, attempt)
                if await insisting(note, RETRY_SECONDS, "What came of a webhook"):
                    log_webhook(job, attempt, outcome)
                    self._note(outcome)

    async def _answer(self, job: Job) -> Reply:
        try:
            text = await asyncio.to_thread(self._text, job)
            body = job_event(job, text).model_dump_json().encode()
            return await self._sender.send(str(job.webhook_url), event_id(job), body)
        except JobStoreError:
            return Reply(error="no_result")
        except Exception:  # noqa: BLE001 - of whatever kind, the others are to be sent
            logger.exception("A webhook of %s failed", job.id)
            return Reply(error="internal")

    def _text(self, job: Job) -> str | None:
        if not job.webhook_text or job.status != "completed":
            return None
        return self._folder.read_result(job.id).text


def _attempt(job: Job, reply: Reply) -> tuple[WebhookAttempt, WebhookOutcome]:
    again, outcome = None, _outcome(job, reply)
    if outcome == "retried":
        again = SCHEDULE[job.webhook_attempts]
    return WebhookAttempt(reply.status, reply.error, again), outcome


def _outcome(job: Job, reply: Reply) -> WebhookOutcome:
    if is_delivered(reply.status):
        return "delivered"
    is_over = reply.status == _GONE or job.webhook_attempts >= len(SCHEDULE)
    return "failed" if is_over else "retried"
