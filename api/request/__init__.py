"""From a multipart body to options, field by field."""

from __future__ import annotations
