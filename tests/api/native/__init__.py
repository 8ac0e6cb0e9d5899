"""Tests of `api/native`."""

from __future__ import annotations
