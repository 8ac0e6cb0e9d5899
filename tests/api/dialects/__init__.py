"""Tests of the dialects: fields, answers and errors of other APIs."""

from __future__ import annotations
