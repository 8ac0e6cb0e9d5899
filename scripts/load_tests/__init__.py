"""Load tests of a running server, and their clients, phases and thresholds."""

from __future__ import annotations
