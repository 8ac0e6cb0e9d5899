"""Admission, the fair queue, its throughput, and the pool of loaded models."""

from __future__ import annotations
