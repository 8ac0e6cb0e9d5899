"""The operator's commands: import, doctor, preflight, containerize."""

from __future__ import annotations
