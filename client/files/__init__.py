"""Files: recordings that are found, outputs that are written, the archive of what is done."""

from __future__ import annotations
