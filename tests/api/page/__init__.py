"""Tests of `api/page`."""

from __future__ import annotations
