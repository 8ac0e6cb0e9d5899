"""The two halves of a decode step: tokens are fed, and the next are chosen."""

from __future__ import annotations

from dataclasses import dataclass

from models.engine.decoding.token_rules import TokenRules
from models.engine.network.decoder import Decoder
from models.engine.network.kv_cache import KVCache
from models.engine.static_step.plain_choice import Choice, PlainChoice
from models.engine.static_step.plain_forward import Forward, PlainForward


@dataclass(frozen=True)
class Step:
    """How tokens are fed; how the most probable next ones are chosen, and how some are drawn."""

    feed: Forward
    choose: Choice
    draw: Choice


def plain_step(decoder: Decoder, cache: KVCache, rules: TokenRules) -> Step:
    """In PyTorch, on any device."""
    feed = PlainForward(decoder, cache)
    return Step(feed, PlainChoice(rules), PlainChoice(rules, draws=True))
