// Tensor core products (mma) of small matrices by a warp.

#if __CUDA_ARCH__ >= 900

// Four of [8, 8], of which each lane names a row.
static __device__ void read_matrices(unsigned *four, const half_t *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(four[0]), "=r"(four[1]), "=r"(four[2]), "=r"(four[3]) : "r"(address(row)));
}

// The same, transposed.
static __device__ void read_transposed(unsigned *four, const half_t *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(four[0]), "=r"(four[1]), "=r"(four[2]), "=r"(four[3]) : "r"(address(row)));
}

// sum += a b, of [16, 16] and [16, 8].
static __device__ void multiply(float *sum, const unsigned *a, const unsigned *b) {
#if BFLOAT16
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"
#else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32"
#endif
                 " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#endif
