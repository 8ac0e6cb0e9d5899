"""The error that ends a script with one line."""

from __future__ import annotations


class BenchError(Exception):
    """The benchmark cannot be run or has failed; the message is for the person who started it."""
