"""Engines that come and go on a GPU have streams of their own."""

from __future__ import annotations

from itertools import count

import pytest
import torch

from models.engine.device.gpu_sharing import take_streams


class Owner:
    """An engine's launcher."""


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """One whose streams are numbers, given out in turn as PyTorch does."""
    numbers = count()
    monkeypatch.setattr(torch.cuda, "Stream", lambda *_: next(numbers) % 32)
    return torch.device("cuda:7")


def test_streams_of_living_owners_are_their_own(device: torch.device) -> None:
    resident = Owner()
    taken = set(take_streams(resident, device))
    assert len(taken) == 2
    for _ in range(100):
        passing = Owner()
        assert not taken & set(take_streams(passing, device))
        del passing
