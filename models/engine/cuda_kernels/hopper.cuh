// Asynchronous bulk copies (TMA) and thread block clusters (distributed shared memory), from Hopper on.

#if __CUDA_ARCH__ >= 900

static __device__ unsigned address(const void *shared) {
    return (unsigned)__cvta_generic_to_shared(shared);
}

// A barrier that waits for bytes to arrive in shared memory.
static __device__ void begin_barrier(unsigned long long *barrier) {
    asm volatile("mbarrier.init.shared.b64 [%0], 1;" ::"r"(address(barrier)));
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

static __device__ void expect(unsigned long long *barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(address(barrier)),
                 "r"(bytes) : "memory");
}

static __device__ void wait_for(unsigned long long *barrier, int phase) {
    unsigned done = 0;
    while (!done)
        asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared.b64 p, [%1], %2;"
                     " selp.u32 %0, 1, 0, p; }"
                     : "=r"(done) : "r"(address(barrier)), "r"(phase) : "memory");
}

// Begin to copy so many bytes to shared memory; the barrier counts those that arrive.
static __device__ void begin_copy(
    void *to, const void *from, int bytes, unsigned long long *barrier) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
                 ::"r"(address(to)), "l"(from), "r"(bytes), "r"(address(barrier)) : "memory");
}

// The number in another block's shared memory of the cluster, where this one has `shared`.
static __device__ float of_block(const float *shared, unsigned block) {
    unsigned remote;
    float value;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(address(shared)), "r"(block));
    asm volatile("ld.shared::cluster.f32 %0, [%1];" : "=f"(value) : "r"(remote) : "memory");
    return value;
}

static __device__ void meet_cluster() {
    asm volatile("barrier.cluster.arrive.aligned;" ::: "memory");
    asm volatile("barrier.cluster.wait.aligned;" ::: "memory");
}

// Online softmax joined over the blocks of a cluster, where each has its own largest score, the sum of
// e^(score - largest) and the values weighted by these.
static __device__ float over_cluster(
    const float *value, const float *largest, const float *sum, int blocks) {
    float maximum = -1e30f, mixed = 0, total = 0;
    for (int block = 0; block < blocks; block++) maximum = fmaxf(maximum, of_block(largest, block));
    for (int block = 0; block < blocks; block++) {
        float scale = expf(of_block(largest, block) - maximum);
        mixed += scale * of_block(value, block);
        total += scale * of_block(sum, block);
    }
    return mixed / total;
}

#endif
