"""Bytes to windows of log-mel."""

from __future__ import annotations
