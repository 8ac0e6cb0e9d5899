"""Forms: multipart bodies to checked fields, and fields to options."""

from __future__ import annotations
