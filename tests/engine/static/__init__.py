"""Encoding and decoding in static shapes, on a CPU."""
