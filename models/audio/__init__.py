"""Audio input: files to samples, speech spans and windows of log-mel."""

from __future__ import annotations
