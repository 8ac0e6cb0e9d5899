"""Tests; they mirror models/ and api/."""

from __future__ import annotations
