"""Tests of a server in service, of `bentoml serve`: what strangers and mishaps do to it."""

from __future__ import annotations
