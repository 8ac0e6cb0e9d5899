"""Tests of `api/answer`."""

from __future__ import annotations
