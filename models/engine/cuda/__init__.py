"""A decode step in CUDA kernels of our own, where PyTorch's are too many or read too much."""
