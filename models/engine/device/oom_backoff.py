"""Batch-size backoff on CUDA out-of-memory: halve, then grow again after 1,000 good batches."""

from __future__ import annotations

# Batches that fit until a larger one is tried: seldom, as a failure costs a batch's work.
PATIENCE = 1000


class BatchBackoff:
    """`now` is halved when memory runs out, and doubled after `PATIENCE` batches that fit."""

    def __init__(self, maximum: int) -> None:
        self.maximum = self.now = maximum
        self._fitted = 0

    def ran_out(self, tried: int) -> None:
        """Note that there was no memory for `tried` rows."""
        self.now = max(1, tried // 2)
        self._fitted = 0

    def fitted(self) -> None:
        """Note that there was memory for a batch."""
        self._fitted += 1
        if self._fitted % PATIENCE == 0:
            self.now = min(self.maximum, 2 * self.now)
