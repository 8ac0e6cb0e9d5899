"""Background jobs: requests whose answers are fetched later."""

from __future__ import annotations
