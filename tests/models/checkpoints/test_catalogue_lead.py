"""The lead of the alignment heads, by the sizes of a checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.checkpoints.catalogue import CHECKPOINTS, attention_lead, find_checkpoint


@pytest.mark.parametrize(("name", "lead"), [("base", 0.06), ("tiny.en", -0.08), ("large-v3", 0.0)])
def test_lead_is_that_of_the_checkpoint(name: str, lead: float) -> None:
    checkpoint = find_checkpoint(name)
    assert checkpoint is not None
    assert attention_lead(checkpoint.dims) == lead


def test_lead_of_other_sizes_is_none() -> None:
    assert attention_lead(replace(CHECKPOINTS[0].dims, n_text_layer=2)) == 0.0
