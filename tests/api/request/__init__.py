"""Tests of `api/request`."""

from __future__ import annotations
