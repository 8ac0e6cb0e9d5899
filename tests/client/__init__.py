"""Tests of client/."""

from __future__ import annotations
