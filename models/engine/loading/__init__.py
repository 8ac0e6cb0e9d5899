"""Weights to a network: formats, rotation, calibration and centring for int8."""

from __future__ import annotations
