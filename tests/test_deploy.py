"""The dashboard and the alerts are made for the metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.telemetry.metrics import Metrics
from api.telemetry.observe import Outcome

DEPLOY = Path(__file__).parent.parent / "deploy"
DASHBOARD: dict[str, Any] = json.loads(
    (DEPLOY / "grafana" / "whisper.json").read_text(encoding="utf-8")
)
ALERTS: dict[str, Any] = yaml.safe_load(
    (DEPLOY / "prometheus" / "alerts.yaml").read_text(encoding="utf-8")
)
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
RULES = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]


def kinds() -> dict[str, str]:
    """Every metric and its type."""
    found = re.findall(r"^# TYPE (\w+) (\w+)$", Metrics().exposition().decode(), re.MULTILINE)
    return {name: kind for name, kind in found if kind != "gauge" or not name.endswith("_created")}


def series() -> dict[str, str]:
    """Every series that can be asked for, and the metric it belongs to."""
    parts = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
    return {name + part: name for name, kind in kinds().items() for part in parts.get(kind, ("",))}


def asked(expression: str) -> list[str]:
    return re.findall(r"\bwhisper_\w+", expression)


@pytest.mark.parametrize("expression", [*SHOWN, *RULES])
def test_what_is_asked_for_is_there(expression: str) -> None:
    assert asked(expression)
    assert set(asked(expression)) <= series().keys()


def test_every_metric_is_shown() -> None:
    shown = {series()[name] for expression in SHOWN for name in asked(expression)}

    assert shown == set(kinds())


@pytest.mark.parametrize("expression", [*SHOWN, *RULES])
def test_counters_are_asked_for_their_rate(expression: str) -> None:
    counted = [name for name in asked(expression) if re.search("_(total|sum|count|bucket)$", name)]

    assert len(counted) == len(re.findall(r"\b(?:rate|increase)\(whisper_", expression))


def test_outcomes_in_alerts_are_outcomes() -> None:
    named = re.findall(r'outcome=~?"([\w|]+)"', " ".join(RULES))

    assert set("|".join(named).split("|")) <= set(Outcome.__args__)  # type: ignore[attr-defined]


def test_alerts_say_what_is_wrong() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]

    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert all(rule["annotations"]["summary"].endswith(".") for rule in rules)
    assert {rule["labels"]["severity"] for rule in rules} == {"page", "warn"}


def test_panels_have_a_place_of_their_own() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

    assert len(set(places)) == len(places)
