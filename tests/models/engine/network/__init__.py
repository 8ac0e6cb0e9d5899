"""Tests of models/engine/network."""

from __future__ import annotations
