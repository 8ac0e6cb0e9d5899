"""Decoding without a device's details: sequences, token rules, sampling, alignment."""

from __future__ import annotations
