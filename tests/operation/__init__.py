"""Tests of a server in service: what strangers and mishaps do to it."""
