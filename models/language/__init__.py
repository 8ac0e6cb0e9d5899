"""Whisper's languages, and the codes and names that clients call them by."""

from __future__ import annotations
