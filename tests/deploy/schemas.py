"""The schemas that resources are held against, strictly: Kubernetes' own, KEDA's, Prometheus'."""

from __future__ import annotations

from typing import Any

from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import ServiceMonitor
from kubernetes_validate.utils import validate

_CUSTOM = {"ScaledObject": ScaledObject, "ServiceMonitor": ServiceMonitor}


def check(resource: dict[str, Any], version: str) -> None:
    """Fail where something in a resource is missing, malformed or not known.

    `version` is that of Kubernetes, such as 1.37; custom resources do not depend on it.
    """
    model = _CUSTOM.get(resource["kind"])
    if model is None:
        validate(resource, version, strict=True)
        return
    # What the model does not know is left out by it.
    known = model.model_validate(resource)
    assert known.model_dump(mode="json", by_alias=True, exclude_unset=True) == resource
