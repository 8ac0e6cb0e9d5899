"""Tests about operating a server: limits, faults, shutdown."""

from __future__ import annotations
