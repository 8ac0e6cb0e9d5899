"""A receiver of webhooks, which are looked for often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.jobs import webhook_runner
from tests.receiver import Receiver, receiving


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are looked for more often than once a second."""
    monkeypatch.setattr(webhook_runner, "POLL_SECONDS", 0.05)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
