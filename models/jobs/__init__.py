"""Background jobs: the store, their files, and which worker has them."""

from __future__ import annotations
