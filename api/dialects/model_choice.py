"""The model of a request whose dialect has no field for it, or one that its servers ignore."""

from __future__ import annotations

from api.requests.model_registry import DEFAULT_ID, ModelRegistry
from models.errors import ModelNotFoundError


def served_or_default(registry: ModelRegistry, model_id: str) -> str:
    """The id, if it is that of a served checkpoint; else that of the default model."""
    try:
        registry.find(model_id)
    except ModelNotFoundError:
        return DEFAULT_ID
    return model_id
