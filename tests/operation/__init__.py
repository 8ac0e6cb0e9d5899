"""Tests of operating the server: limits, logs, metrics, faults, against servers of their own."""
