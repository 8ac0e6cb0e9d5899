"""The OpenAPI document: what the routes say of themselves, and what is true of all."""

from __future__ import annotations
