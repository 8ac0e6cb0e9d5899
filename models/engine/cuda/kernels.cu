// A decode step of few rows: the time goes into starting kernels and waiting for memory, so each
// does as much as it can. Built for a number format (BFLOAT16, else float16), for so many ROWS of
// N_IN inputs, and for a text of N_CTX positions. Sums are in float32.

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

// Two numbers of one word.
static __device__ float dot2(unsigned a, unsigned b) {
    return widen(a & 0xffff) * widen(b & 0xffff) + widen(a >> 16) * widen(b >> 16);
}

static __device__ float dot8(uint4 a, uint4 b) {
    return dot2(a.x, b.x) + dot2(a.y, b.y) + dot2(a.z, b.z) + dot2(a.w, b.w);
}

static __device__ float warp_sum(float value) {
    for (int step = LANES / 2; step; step /= 2) value += __shfl_xor_sync(~0u, value, step);
    return value;
}

static __device__ float warp_max(float value) {
    for (int step = LANES / 2; step; step /= 2)
        value = fmaxf(value, __shfl_xor_sync(~0u, value, step));
    return value;
}

// Over all threads of the block; `scratch` has a place for each warp.
static __device__ float block_sum(float value, float *scratch) {
    value = warp_sum(value);
    __syncthreads();
    if (threadIdx.x % LANES == 0) scratch[threadIdx.x / LANES] = value;
    __syncthreads();
    float sum = 0;
    for (int warp = 0; warp < blockDim.x / LANES; warp++) sum += scratch[warp];
    return sum;
}

static __device__ float block_max(float value, float *scratch) {
    value = warp_max(value);
    __syncthreads();
    if (threadIdx.x % LANES == 0) scratch[threadIdx.x / LANES] = value;
    __syncthreads();
    float most = scratch[0];
    for (int warp = 1; warp < blockDim.x / LANES; warp++) most = fmaxf(most, scratch[warp]);
    return most;
}

#ifdef N_IN

#define THREADS 128  // four columns: blocks enough for every multiprocessor
#define PIECES (N_IN / 8)  // of eight numbers, which a thread reads at once
#define OWN ((PIECES + LANES - 1) / LANES)

// One pass over the row, measured from its first number, so that little is lost where the squares'
// mean and the mean's square are taken from each other.
static __device__ void normalize(half_t *row, const half_t *gain, const half_t *shift) {
    __shared__ float sums[THREADS / LANES], squares[THREADS / LANES];
    float origin = widen(row[0]), sum = 0, square = 0;
    for (int at = threadIdx.x; at < N_IN; at += THREADS) {
        float off = widen(row[at]) - origin;
        sum += off;
        square += off * off;
    }
    sum = warp_sum(sum);
    square = warp_sum(square);
    if (threadIdx.x % LANES == 0) {
        sums[threadIdx.x / LANES] = sum;
        squares[threadIdx.x / LANES] = square;
    }
    __syncthreads();
    float mean = 0, variance = 0;
    for (int warp = 0; warp < THREADS / LANES; warp++) {
        mean += sums[warp] / N_IN;
        variance += squares[warp] / N_IN;
    }
    float scale = rsqrtf(variance - mean * mean + 1e-5f);
    mean += origin;
    for (int at = threadIdx.x; at < N_IN; at += THREADS)
        row[at] = narrow((widen(row[at]) - mean) * scale * widen(gain[at]) + widen(shift[at]));
    __syncthreads();
}

// out = residual + gelu(norm(x) weight + bias), [ROWS, n_out]: a warp for each column. What is not
// there (`normalizes`, `activates`, `adds` are 0) is left out.
extern "C" __global__ void __launch_bounds__(THREADS) linear(
    const half_t *x, const half_t *gain, const half_t *shift, const half_t *weight,
    const half_t *bias, const half_t *residual, half_t *out, int n_out, int normalizes,
    int activates, int adds) {
    __shared__ uint4 rows[ROWS][PIECES];
    int lane = threadIdx.x % LANES;
    int column = blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;
    // The weights are on their way while the rows are normalized.
    uint4 own[OWN];
    const uint4 *from = (const uint4 *)(weight + (long long)min(column, n_out - 1) * N_IN);
#pragma unroll
    for (int n = 0; n < OWN; n++)
        own[n] = from[min(lane + n * LANES, PIECES - 1)];
    for (int at = threadIdx.x; at < ROWS * PIECES; at += THREADS)
        rows[at / PIECES][at % PIECES] = ((const uint4 *)x)[at];
    __syncthreads();
    if (normalizes) {
        for (int row = 0; row < ROWS; row++) normalize((half_t *)rows[row], gain, shift);
    }
    float sums[ROWS] = {};
#pragma unroll
    for (int n = 0; n < OWN; n++) {
        int at = lane + n * LANES;
        if (at < PIECES)
            for (int row = 0; row < ROWS; row++) sums[row] += dot8(own[n], rows[row][at]);
    }
    for (int row = 0; row < ROWS; row++) {
        float sum = warp_sum(sums[row]);
        if (lane || column >= n_out) continue;
        sum += widen(bias[column]);
        if (activates) sum = 0.5f * sum * (1 + erff(sum * 0.70710678f));
        if (adds) sum += widen(residual[row * n_out + column]);
        out[row * n_out + column] = narrow(sum);
    }
}

#endif

#ifdef N_CTX

// Keys and values of one more position into the cache, and attention over the text up to it: a
// block for a head of a row. `qkv` is [rows, 3, heads, HEAD_DIM], `keys` and `values` the cache of a
// layer, [slots, heads, N_CTX, HEAD_DIM] each.
extern "C" __global__ void __launch_bounds__(128) attend_text(
    const half_t *qkv, half_t *keys, half_t *values, const long long *positions, half_t *out) {
    __shared__ float q[HEAD_DIM], scores[N_CTX], parts[4][HEAD_DIM], scratch[4];
    int heads = gridDim.x, thread = threadIdx.x, lane = thread % LANES, warp = thread / LANES;
    int last = positions[blockIdx.y], state = heads * HEAD_DIM;
    const half_t *own = qkv + (long long)blockIdx.y * 3 * state + blockIdx.x * HEAD_DIM;
    long long cached = ((long long)blockIdx.y * heads + blockIdx.x) * N_CTX * HEAD_DIM;
    half_t *k = keys + cached, *v = values + cached;
    if (thread < HEAD_DIM) {
        q[thread] = widen(own[thread]) * rsqrtf(HEAD_DIM);
        k[last * HEAD_DIM + thread] = own[state + thread];
        v[last * HEAD_DIM + thread] = own[2 * state + thread];
    }
    __syncthreads();
    float most = __int_as_float(0xff800000);  // less than any
    for (int at = thread; at <= last; at += 128) {
        const uint4 *key = (const uint4 *)(k + at * HEAD_DIM);
        float sum = 0;
        for (int n = 0; n < HEAD_DIM / 8; n++) {
            uint4 eight = key[n];
            const float *with = q + 8 * n;
            sum += widen(eight.x & 0xffff) * with[0] + widen(eight.x >> 16) * with[1];
            sum += widen(eight.y & 0xffff) * with[2] + widen(eight.y >> 16) * with[3];
            sum += widen(eight.z & 0xffff) * with[4] + widen(eight.z >> 16) * with[5];
            sum += widen(eight.w & 0xffff) * with[6] + widen(eight.w >> 16) * with[7];
        }
        scores[at] = sum;
        most = fmaxf(most, sum);
    }
    most = block_max(most, scratch);
    float total = 0;
    for (int at = thread; at <= last; at += 128)
        total += scores[at] = expf(scores[at] - most);
    total = block_sum(total, scratch);
    // Every fourth position a warp, two numbers a lane.
    float first = 0, second = 0;
    for (int at = warp; at <= last; at += 4) {
        unsigned two = ((const unsigned *)(v + at * HEAD_DIM))[lane];
        first += scores[at] * widen(two & 0xffff);
        second += scores[at] * widen(two >> 16);
    }
    parts[warp][2 * lane] = first;
    parts[warp][2 * lane + 1] = second;
    __syncthreads();
    if (thread < HEAD_DIM) {
        float sum = parts[0][thread] + parts[1][thread] + parts[2][thread] + parts[3][thread];
        out[(long long)blockIdx.y * state + blockIdx.x * HEAD_DIM + thread] = narrow(sum / total);
    }
}

#endif

#ifdef N_VOCAB

#define CHOOSERS 1024

// The largest score of some tokens, the first that has it, and the sum of e^(score - largest).
struct Best {
    float largest, sum;
    int token;
};

static __device__ Best none() {
    Best best = {__int_as_float(0xff800000), 0, N_VOCAB};
    return best;
}

static __device__ Best merged(Best a, Best b) {
    if (b.largest > a.largest || (b.largest == a.largest && b.token < a.token)) {
        Best other = a;
        a = b;
        b = other;
    }
    if (b.sum > 0) a.sum += b.sum * expf(b.largest - a.largest);
    return a;
}

static __device__ Best best_of(
    const float *scores, const float *bias, int begin, int end, Best *scratch) {
    Best best = none();
    for (int at = begin + threadIdx.x; at < end; at += CHOOSERS) {
        Best one = {scores[at] + bias[at], 1, at};
        if (one.largest > __int_as_float(0xff800000)) best = merged(best, one);
    }
    for (int step = LANES / 2; step; step /= 2) {
        Best other = {__shfl_xor_sync(~0u, best.largest, step),
                      __shfl_xor_sync(~0u, best.sum, step),
                      __shfl_xor_sync(~0u, best.token, step)};
        best = merged(best, other);
    }
    __syncthreads();
    if (threadIdx.x % LANES == 0) scratch[threadIdx.x / LANES] = best;
    __syncthreads();
    best = scratch[0];
    for (int warp = 1; warp < CHOOSERS / LANES; warp++) best = merged(best, scratch[warp]);
    return best;
}

// The most probable token under the rules of timestamps, a block for each row, and the row one
// step further: see static/greedy.py and static/rows.py.
extern "C" __global__ void __launch_bounds__(CHOOSERS) choose(
    const float *logits, const float *bias, long long *tokens, long long *positions,
    long long *pairs, long long *stamps, float *chosen, float *logprobs, int begin, int eot,
    int nowhere) {
    __shared__ Best scratch[CHOOSERS / LANES];
    int row = blockIdx.x;
    bool after_time = tokens[row] >= begin, pair = pairs[row] > 0;
    bool opened = after_time && !pair, closed = after_time && pair;
    int least = closed ? N_VOCAB : (int)stamps[row] + !opened;
    const float *scores = logits + (long long)row * N_VOCAB;
    Best text = best_of(scores, bias, opened ? eot : 0, begin, scratch);
    Best time = best_of(scores, bias, max(least, begin), N_VOCAB, scratch);
    if (threadIdx.x) return;
    bool due = time.sum > 0 && time.largest + logf(time.sum) > text.largest;
    Best best = due ? time : merged(text, time);
    chosen[row] = best.token;
    logprobs[row] = -logf(best.sum);
    if (best.token >= begin) stamps[row] = best.token;
    pairs[row] = after_time;
    tokens[row] = best.token;
    positions[row] = min((int)positions[row] + 1, nowhere);
}

#endif
