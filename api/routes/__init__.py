"""The endpoints of OpenAI's audio API, and of health."""

from __future__ import annotations
