"""Tests of the bento and of its image, built from this checkout and run as a container."""

from __future__ import annotations
