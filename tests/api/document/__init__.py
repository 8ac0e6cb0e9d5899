"""Tests of `api/document`."""

from __future__ import annotations
