"""Tests of models/language."""

from __future__ import annotations
