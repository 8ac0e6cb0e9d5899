"""A request on its way: the model that it names, and its place in the queue."""

from __future__ import annotations
