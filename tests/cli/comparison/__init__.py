"""Tests of the comparison of two servers."""

from __future__ import annotations
