"""Encoding and decoding in static shapes, which a GPU captures once and replays."""
