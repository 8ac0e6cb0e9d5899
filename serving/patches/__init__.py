"""Framework patches: all that is replaced or overridden in BentoML, circus, uvicorn and Starlette.

`docs/upstream.md` says of each why, and what would make it needless.
"""

from __future__ import annotations
