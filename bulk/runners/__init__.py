"""Runners: what transcribes the rows, which is engines in child processes or servers."""

from __future__ import annotations
