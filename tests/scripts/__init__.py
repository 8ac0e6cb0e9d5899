"""Tests of the programs under scripts/."""

from __future__ import annotations
