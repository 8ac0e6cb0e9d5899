"""A server of OpenAI's API as the backend: its address, its abilities, requests and answers."""

from __future__ import annotations
