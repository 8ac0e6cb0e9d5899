"""Tests of client/terminal/."""

from __future__ import annotations
