"""Client of background jobs in a load test: many are made at once, read, and removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from scripts.shared.errors import BenchError
from scripts.shared.http_load import PATH
from scripts.shared.manifest import Clip

# The jobs of one page, at most.
_PAGE = 100


@dataclass
class Jobs:
    """Jobs of one recording at a server; `ids` are theirs, in the order of their making."""

    client: httpx.AsyncClient
    clip: Clip
    ids: list[str] = field(default_factory=list)

    async def submit(self, model: str, count: int) -> None:
        """Make so many more, one after the other.

        Raises:
            BenchError: one is refused.
        """
        content = self.clip.path.read_bytes()
        form = {"model": model, "language": self.clip.language, "background": "true"}
        for _ in range(count):
            reply = await self.client.post(PATH, data=form, files={"file": content})
            if reply.status_code != httpx.codes.ACCEPTED:
                raise BenchError(f"a job is refused: {reply.status_code} {reply.text}")
            self.ids.append(reply.json()["id"])

    async def seconds_done(self) -> float:
        """Seconds of sound that have been transcribed of all of them.

        Raises:
            BenchError: one has failed.
        """
        jobs = await self._read()
        failed = [job["error"] for job in jobs if job["status"] == "failed"]
        if failed:
            raise BenchError(f"{len(failed)} jobs have failed: {failed[0]}")
        percent = sum(int(job["progress"]) for job in jobs)
        return percent / 100 * self.clip.seconds

    async def remove(self) -> None:
        """Cancel and remove all."""
        # The last ones first: none begins because one before it goes.
        while self.ids:
            await self.client.delete(f"{PATH}/{self.ids.pop()}")

    async def _read(self) -> list[dict[str, Any]]:
        wanted, jobs, after = set(self.ids), [], ""
        while True:
            query = {"limit": str(_PAGE), **({"after": after} if after else {})}
            reply = await self.client.get(PATH, params=query)
            page = reply.raise_for_status().json()
            jobs += [job for job in page["data"] if job["id"] in wanted]
            if not page["has_more"]:
                return jobs
            after = page["last_id"]


@asynccontextmanager
async def jobs_of(client: httpx.AsyncClient, clip: Clip) -> AsyncIterator[Jobs]:
    """Jobs that are removed with the block, however it ends."""
    jobs = Jobs(client, clip)
    try:
        yield jobs
    finally:
        await jobs.remove()
