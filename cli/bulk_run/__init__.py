"""A bulk run of the command line: its arguments and its engines."""

from __future__ import annotations
