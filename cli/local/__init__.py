"""The models in this process as the backend of the command-line client."""

from __future__ import annotations
