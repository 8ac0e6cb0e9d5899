"""Tests of cli/realtime and of the command `live`."""

from __future__ import annotations
