"""Deployment files: rendered, and held against schemas and the code."""

from __future__ import annotations
