"""The operator's commands, thin over serving, models and the settings."""

from __future__ import annotations
