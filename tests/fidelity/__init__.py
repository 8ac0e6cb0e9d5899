"""Tests of the text that real weights make of real speech, too many for each run."""
