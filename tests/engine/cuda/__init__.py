"""The CUDA kernels: they compile, and on a GPU they do what PyTorch does."""
