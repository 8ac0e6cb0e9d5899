"""Tests of which windows are decoded, and what becomes of their text."""
