"""Recordings loaded in processes of their own, which can reach nothing but their file."""

from __future__ import annotations
