// Attention of one query a head, over a text or a window of N_CTX positions: a block reads a chunk of
// PASSES passes before it waits for any of it.

#include "common.cuh"
#include "hopper.cuh"

#define THREADS 128
#define GROUP 8  // lanes that share a position, eight numbers each
#define POSITIONS (THREADS / GROUP)  // that a block reads at once
#define CHUNK (PASSES * POSITIONS)

// Values weighted by e^(score - largest), of which `sum` is the sum: eight numbers of a head.
struct Heard {
    float largest, sum, values[8];
};

static __device__ Heard silence() {
    Heard heard = {-1e30f, 0, {}};
    return heard;
}

static __device__ void rescale(Heard *heard, float largest) {
    float scale = expf(heard->largest - largest);
    heard->largest = largest;
    heard->sum *= scale;
    for (int i = 0; i < 8; i++) heard->values[i] *= scale;
}

static __device__ void add(Heard *heard, Heard other) {
    float largest = fmaxf(heard->largest, other.largest);
    rescale(heard, largest);
    rescale(&other, largest);
    heard->sum += other.sum;
    for (int i = 0; i < 8; i++) heard->values[i] += other.values[i];
}

// Which position a thread reads in a pass, and where in it.
static __device__ int own_position(int first, int pass) {
    return first + pass * POSITIONS + threadIdx.x / GROUP;
}

static __device__ void read_chunk(uint4 *chunk, const half_t *positions, int first, int end) {
#pragma unroll
    for (int n = 0; n < PASSES; n++) {
        int at = own_position(first, n);
        chunk[n] = make_uint4(0, 0, 0, 0);
        if (at < end) chunk[n] = ((const uint4 *)(positions + at * HEAD_DIM))[threadIdx.x % GROUP];
    }
}

// The position `own` of a chunk, if it is there.
static __device__ void put(uint4 *chunk, int first, int own, uint4 eight) {
#pragma unroll
    for (int n = 0; n < PASSES; n++)
        if (own_position(first, n) == own) chunk[n] = eight;
}

// What a query, of which each lane has eight numbers, hears in a chunk that ends before `end`.
static __device__ void listen(
    Heard *heard, const float *q, const uint4 *keys, const uint4 *values, int first, int end) {
    float scores[PASSES], largest = heard->largest;
#pragma unroll
    for (int n = 0; n < PASSES; n++) {
        float score = dot8(keys[n], q);
        for (int step = GROUP / 2; step; step /= 2) score += __shfl_xor_sync(~0u, score, step);
        scores[n] = own_position(first, n) < end ? score : -1e30f;
        largest = fmaxf(largest, scores[n]);
    }
    rescale(heard, largest);
#pragma unroll
    for (int n = 0; n < PASSES; n++) {
        if (own_position(first, n) >= end) continue;
        float weight = expf(scores[n] - largest), value[8];
        widen8(values[n], value);
        heard->sum += weight;
        for (int i = 0; i < 8; i++) heard->values[i] += weight * value[i];
    }
}

// What all threads of a block have heard, in shared memory: HEAD_DIM values, the largest, the sum.
static __device__ void join_block(Heard heard, float *joined) {
    __shared__ Heard parts[THREADS / LANES][GROUP];
    int lane = threadIdx.x % LANES;
    for (int step = GROUP; step < LANES; step *= 2) {
        Heard other;
        other.largest = __shfl_xor_sync(~0u, heard.largest, step);
        other.sum = __shfl_xor_sync(~0u, heard.sum, step);
        for (int i = 0; i < 8; i++) other.values[i] = __shfl_xor_sync(~0u, heard.values[i], step);
        add(&heard, other);
    }
    if (lane < GROUP) parts[threadIdx.x / LANES][lane] = heard;
    __syncthreads();
    if (threadIdx.x < GROUP) {
        heard = parts[0][lane];
        for (int warp = 1; warp < THREADS / LANES; warp++) add(&heard, parts[warp][lane]);
        for (int i = 0; i < 8; i++) joined[8 * lane + i] = heard.values[i];
        joined[HEAD_DIM] = heard.largest;
        joined[HEAD_DIM + 1] = heard.sum;
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
    Heard heard = silence();
    for (int first = 0; first <= last; first += CHUNK) {
        if (first) {
            read_chunk(key, k, first, last);
            read_chunk(value, v, first, last);
        }
        put(key, first, last, new_key);
        put(value, first, last, new_value);
        listen(&heard, q, key, value, first, last + 1);
    }
    join_block(heard, joined);
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
    Heard heard = silence();
    listen(&heard, query, key, value, first, end);
    join_block(heard, joined);
    meet_cluster();
    if (blockIdx.x == 0 && threadIdx.x < HEAD_DIM) {
        const float *largest = joined + HEAD_DIM, *sum = largest + 1;
        float all = over_cluster(joined + threadIdx.x, largest, sum, SPLITS);
        out[head * HEAD_DIM + threadIdx.x] = narrow(all);
    }
    meet_cluster();  // nobody's memory goes before it has been read
}

#endif
