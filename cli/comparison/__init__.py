"""Two servers of OpenAI's API beside each other: the calls, what differs, the report."""

from __future__ import annotations
