// Attention of one query a head by online softmax, over self-KV or cross-KV of N_CTX positions: a block
// reads a chunk of PASSES passes before it waits for any of it.

#include "common.cuh"
#include "hopper.cuh"

#define THREADS 128
#define GROUP 8  // lanes that share a position, eight numbers each
#define POSITIONS (THREADS / GROUP)  // that a block reads at once
#define CHUNK (PASSES * POSITIONS)

// Accumulator of an online softmax (Milakov and Gimelshein, 2018): the largest score, the sum of the
// weights e^(score - largest), and the weighted values, eight numbers of a head.
struct OnlineSoftmax {
    float largest, sum, values[8];
};

static __device__ OnlineSoftmax nothing_read() {
    OnlineSoftmax softmax = {-1e30f, 0, {}};
    return softmax;
}

static __device__ void rescale(OnlineSoftmax *softmax, float largest) {
    float scale = expf(softmax->largest - largest);
    softmax->largest = largest;
    softmax->sum *= scale;
    for (int i = 0; i < 8; i++) softmax->values[i] *= scale;
}

static __device__ void add(OnlineSoftmax *softmax, OnlineSoftmax other) {
    float largest = fmaxf(softmax->largest, other.largest);
    rescale(softmax, largest);
    rescale(&other, largest);
    softmax->sum += other.sum;
    for (int i = 0; i < 8; i++) softmax->values[i] += other.values[i];
}

// The position that a thread reads in a pass.
static __device__ int position_of(int first, int pass) {
    return first + pass * POSITIONS + threadIdx.x / GROUP;
}

static __device__ void read_chunk(uint4 *chunk, const half_t *positions, int first, int end) {
#pragma unroll
    for (int n = 0; n < PASSES; n++) {
        int at = position_of(first, n);
        chunk[n] = make_uint4(0, 0, 0, 0);
        if (at < end) chunk[n] = ((const uint4 *)(positions + at * HEAD_DIM))[threadIdx.x % GROUP];
    }
}

// Put the numbers of a position into a chunk, if it is there.
static __device__ void put(uint4 *chunk, int first, int position, uint4 eight) {
#pragma unroll
    for (int n = 0; n < PASSES; n++)
        if (position_of(first, n) == position) chunk[n] = eight;
}

// Attention of a query, of which each lane has eight numbers, over a chunk that ends before `end`.
static __device__ void attend_chunk(
    OnlineSoftmax *softmax, const float *q, const uint4 *keys, const uint4 *values, int first, int end) {
    float scores[PASSES], largest = softmax->largest;
#pragma unroll
    for (int n = 0; n < PASSES; n++) {
        float score = dot8(keys[n], q);
        for (int step = GROUP / 2; step; step /= 2) score += __shfl_xor_sync(~0u, score, step);
        scores[n] = position_of(first, n) < end ? score : -1e30f;
        largest = fmaxf(largest, scores[n]);
    }
    rescale(softmax, largest);
#pragma unroll
    for (int n = 0; n < PASSES; n++) {
        if (position_of(first, n) >= end) continue;
        float weight = expf(scores[n] - largest), value[8];
        widen8(values[n], value);
        softmax->sum += weight;
        for (int i = 0; i < 8; i++) softmax->values[i] += weight * value[i];
    }
}

// Accumulators of a block's threads joined in shared memory: HEAD_DIM values, the largest, the sum.
static __device__ void join_block(OnlineSoftmax softmax, float *joined) {
    __shared__ OnlineSoftmax parts[THREADS / LANES][GROUP];
    int lane = threadIdx.x % LANES;
    for (int step = GROUP; step < LANES; step *= 2) {
        OnlineSoftmax other;
        other.largest = __shfl_xor_sync(~0u, softmax.largest, step);
        other.sum = __shfl_xor_sync(~0u, softmax.sum, step);
        for (int i = 0; i < 8; i++) other.values[i] = __shfl_xor_sync(~0u, softmax.values[i], step);
        add(&softmax, other);
    }
    if (lane < GROUP) parts[threadIdx.x / LANES][lane] = softmax;
    __syncthreads();
    if (threadIdx.x < GROUP) {
        softmax = parts[0][lane];
        for (int warp = 1; warp < THREADS / LANES; warp++) add(&softmax, parts[warp][lane]);
        for (int i = 0; i < 8; i++) joined[8 * lane + i] = softmax.values[i];
        joined[HEAD_DIM] = softmax.largest;
        joined[HEAD_DIM + 1] = softmax.sum;
    }
    __syncthreads();
}

static __device__ void read_query(float *q, const half_t *query) {
    widen8(((const uint4 *)query)[threadIdx.x % GROUP], q);
    for (int i = 0; i < 8; i++) q[i] *= rsqrtf(HEAD_DIM);
}

// Keys and values of one more position into the cache, and attention over the text up to it: a
// block for a head of a row. `qkv` is [rows, 3, heads, HEAD_DIM], `keys` and `values` the cache of a
// layer, [slots, heads, N_CTX, HEAD_DIM] each.
extern "C" __global__ void __launch_bounds__(THREADS) attend_text(
    const half_t *qkv, half_t *keys, half_t *values, const long long *positions, half_t *out) {
    __shared__ float joined[HEAD_DIM + 2];
    int heads = gridDim.x, thread = threadIdx.x, state = heads * HEAD_DIM;
    long long cached = ((long long)blockIdx.y * heads + blockIdx.x) * N_CTX * HEAD_DIM;
    half_t *k = keys + cached, *v = values + cached;
    const half_t *query = qkv + (long long)blockIdx.y * 3 * state + blockIdx.x * HEAD_DIM;
    let_next_begin();
    int last = positions[blockIdx.y];
    uint4 key[PASSES], value[PASSES];
    read_chunk(key, k, 0, last);
    read_chunk(value, v, 0, last);
    wait_for_last();
    float q[8];
    read_query(q, query);
    uint4 new_key = ((const uint4 *)(query + state))[thread % GROUP];
    uint4 new_value = ((const uint4 *)(query + 2 * state))[thread % GROUP];
    if (thread < GROUP) {
        ((uint4 *)(k + last * HEAD_DIM))[thread] = new_key;
        ((uint4 *)(v + last * HEAD_DIM))[thread] = new_value;
    }
    OnlineSoftmax softmax = nothing_read();
    for (int first = 0; first <= last; first += CHUNK) {
        if (first) {
            read_chunk(key, k, first, last);
            read_chunk(value, v, first, last);
        }
        put(key, first, last, new_key);
        put(value, first, last, new_value);
        attend_chunk(&softmax, q, key, value, first, last + 1);
    }
    join_block(softmax, joined);
    if (thread < HEAD_DIM) {
        half_t *into = out + (long long)blockIdx.y * state + blockIdx.x * HEAD_DIM;
        into[thread] = narrow(joined[thread] / joined[HEAD_DIM + 1]);
    }
}

#if __CUDA_ARCH__ >= 900

// Attention over a whole window, whose SPLITS are a block each, in a cluster that reads each other's
// memory: `q` and `out` are [rows, heads, HEAD_DIM], `keys` and `values` the cache of a layer,
// [slots, heads, N_CTX, HEAD_DIM] each.
extern "C" __global__ void __cluster_dims__(SPLITS, 1, 1) __launch_bounds__(THREADS) attend_window(
    const half_t *q, const half_t *keys, const half_t *values, half_t *out) {
    __shared__ float joined[HEAD_DIM + 2];
    long long head = (long long)blockIdx.z * gridDim.y + blockIdx.y;
    int share = (N_CTX + SPLITS - 1) / SPLITS, first = blockIdx.x * share;
    int end = min(first + share, N_CTX);
    let_next_begin();
    uint4 key[PASSES], value[PASSES];
    read_chunk(key, keys + head * N_CTX * HEAD_DIM, first, end);
    read_chunk(value, values + head * N_CTX * HEAD_DIM, first, end);
    wait_for_last();
    float query[8];
    read_query(query, q + head * HEAD_DIM);
    OnlineSoftmax softmax = nothing_read();
    attend_chunk(&softmax, query, key, value, first, end);
    join_block(softmax, joined);
    meet_cluster();
    if (blockIdx.x == 0 && threadIdx.x < HEAD_DIM) {
        const float *largest = joined + HEAD_DIM, *sum = largest + 1;
        float all = over_cluster(joined + threadIdx.x, largest, sum, SPLITS);
        out[head * HEAD_DIM + threadIdx.x] = narrow(all);
    }
    meet_cluster();  // nobody's memory goes before it has been read
}

#endif
