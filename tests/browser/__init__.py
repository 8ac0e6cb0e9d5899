"""Tests of the pages in a browser, Chromium, against `bentoml serve`."""

from __future__ import annotations
