"""Voice activity detection: samples to spans of speech."""

from __future__ import annotations
