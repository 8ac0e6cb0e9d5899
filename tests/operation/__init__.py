"""Tests of operating the server, all of them against a real `bentoml serve`."""

from __future__ import annotations
