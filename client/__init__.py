"""The command-line client: text of recordings by a running server, without any model of its own."""

from __future__ import annotations

# That of the project, which a test holds it to: the client is built from this folder alone.
__version__ = "0.2.0"
