"""Tests of serving/patches: each patch has one that fails where the patch does nothing."""

from __future__ import annotations
