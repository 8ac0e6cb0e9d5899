"""Model registry, and admission of requests to the queue and to a loaded model."""

from __future__ import annotations
