"""Optional CUDA kernels for a decode step, where PyTorch has too many or reads too much.

Imported at one place, `cuda_graphs/fastest_step.py`: this folder and its tests can be deleted.
"""

from __future__ import annotations
