"""What benchmarks, quality measurements and load tests share."""

from __future__ import annotations
