"""Whisper's network: encoder, decoder, their layers, the KV cache, and the plain backend."""

from __future__ import annotations
