"""The pages for people: `/`, and the viewer of the OpenAPI document at `/docs`."""

from __future__ import annotations
