"""Sandbox: recordings loaded in processes that can reach nothing but their file."""

from __future__ import annotations
