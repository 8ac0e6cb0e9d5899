"""Errors of a live transcription, for the terminal."""

from __future__ import annotations


class LiveError(Exception):
    """It cannot be begun, or has broken off; the message is one line."""
