"""Loading of weights into a network; rotation, calibration and centring for int8."""

from __future__ import annotations
