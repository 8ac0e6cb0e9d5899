"""Tests of client/remote/."""

from __future__ import annotations
