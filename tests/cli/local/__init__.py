"""Tests of the backend without a server."""

from __future__ import annotations
