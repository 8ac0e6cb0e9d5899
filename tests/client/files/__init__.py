"""Tests of client/files/."""

from __future__ import annotations
