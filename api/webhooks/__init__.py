"""Webhooks: signed requests to hosts that the operator allows, and to no others."""

from __future__ import annotations
