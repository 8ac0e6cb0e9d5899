"""Tests of models/text."""

from __future__ import annotations
