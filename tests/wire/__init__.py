"""Promises to clients, kept over the wire by a server that `bentoml serve` started."""

from __future__ import annotations

import os

# litellm would fetch a list of prices when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
