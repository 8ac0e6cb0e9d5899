"""Clients, phases and thresholds of the soak and overload tests."""

from __future__ import annotations
