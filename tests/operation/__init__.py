"""Tests of a server as those who run it see it: real processes, signals, limits."""
