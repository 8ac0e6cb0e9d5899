"""Development scripts: benchmarks, quality measurements, load tests."""

from __future__ import annotations
