"""The server's processes: the parent that `bentoml serve` starts, and its workers."""
