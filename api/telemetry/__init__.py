"""Telemetry: logs, metrics and traces of requests that are over."""

from __future__ import annotations
