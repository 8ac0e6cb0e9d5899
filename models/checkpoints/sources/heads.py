"""Alignment heads from the configuration of other projects, where the decoder has them."""

from __future__ import annotations

import logging

from models.checkpoints.catalogue import AlignmentHeads, Dimensions
from models.checkpoints.weights import check_alignment_heads
from models.errors import CheckpointFormatError

logger = logging.getLogger(__name__)


def usable_heads(dims: Dimensions, heads: object) -> AlignmentHeads | None:
    """Those heads; None, for openai-whisper's default, where the decoder has not all of them.

    Distilled models often name those of the model that taught them, which has more layers.
    """
    if heads is None:
        return None
    try:
        return check_alignment_heads(dims, heads)
    except CheckpointFormatError as error:
        logger.warning("%s; words get their times from the default heads", error.message)
        return None
