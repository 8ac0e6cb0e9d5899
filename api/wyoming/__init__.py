"""Wyoming, the protocol of Home Assistant's voice assistants: framing, sessions, server."""

from __future__ import annotations
