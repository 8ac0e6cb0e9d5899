"""The server's logger, a child of BentoML's, which drops what others say below WARNING."""

from __future__ import annotations

import logging

logger = logging.getLogger("bentoml.whisper")
