"""What transcribes recordings: a protocol, its requests, events and errors."""

from __future__ import annotations
