"""Tokens: sequences, the rules they follow, sampling, alignment."""

from __future__ import annotations
