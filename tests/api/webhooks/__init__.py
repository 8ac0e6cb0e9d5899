"""Tests of webhooks: signatures, where they may go, and one attempt."""

from __future__ import annotations
