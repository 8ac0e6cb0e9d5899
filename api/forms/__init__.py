"""Multipart bodies to checked fields, and fields to what a transcription is asked for."""

from __future__ import annotations
