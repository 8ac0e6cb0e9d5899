// What the kernels share. They are built for a number format (BFLOAT16, else float16) and for sizes
// that are macros; sums are in float32.

typedef unsigned short half_t;

#define LANES 32
#define HEAD_DIM 64

static __device__ float widen(half_t bits) {
#if BFLOAT16
    return __uint_as_float((unsigned)bits << 16);
#else
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
#endif
}

static __device__ half_t narrow(float value) {
    half_t bits;
#if BFLOAT16
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
#else
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
#endif
    return bits;
}

static __device__ void widen8(uint4 eight, float *numbers) {
    const unsigned twos[4] = {eight.x, eight.y, eight.z, eight.w};
    for (int n = 0; n < 4; n++) {
        numbers[2 * n] = widen(twos[n] & 0xffff);
        numbers[2 * n + 1] = widen(twos[n] >> 16);
    }
}

static __device__ float dot8(uint4 eight, const float *with) {
    float numbers[8], sum = 0;
    widen8(eight, numbers);
    for (int n = 0; n < 8; n++) sum += numbers[n] * with[n];
    return sum;
}

// Programmatic dependent launch: from Hopper on a kernel begins as soon as all blocks of the one before
// have. Every thread of every
// kernel calls both: before it waits it may read what no kernel of a step writes (weights, windows,
// the text so far), and who waits for it waits for all before it.
static __device__ void let_next_begin() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

static __device__ void wait_for_last() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

struct Sum {
    static __device__ float of(float a, float b) { return a + b; }
};

struct Largest {
    static __device__ float of(float a, float b) { return fmaxf(a, b); }
};

template <typename Join> static __device__ float over_warp(float value) {
    for (int step = LANES / 2; step; step /= 2)
        value = Join::of(value, __shfl_xor_sync(~0u, value, step));
    return value;
}
