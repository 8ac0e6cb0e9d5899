"""Tests of api/forms."""

from __future__ import annotations
