// Weight absorption: attention over a window's encoder states, N_STATE numbers a position, which all
// layers and heads share. It is a product of matrices with an online softmax between: the scores of a
// tile of positions for all of a row's heads, then their mixture, by tensor cores. Tiles are double
// buffered: one is scored while the one before it is weighed.

#include "common.cuh"
#include "hopper.cuh"
#include "matrices.cuh"

#define THREADS (WARPS * LANES)
#define TILE 16  // positions
#define PLACES 4  // for tiles: two are computed with, two on their way
#define GROUPS ((N_HEAD + 7) / 8)  // of eight heads
#define SHARE (N_STATE / WARPS)  // of a position, for a warp
#define STEPS (SHARE / 16)
#define STRIDE (N_STATE + 8)  // of a position in shared memory: eight of them in banks of their share_of_queries
#define SCORES (TILE + 4)  // of a head, likewise
#define WEIGHTS (TILE + 8)  // of a head, likewise

struct Shared {
    half_t tiles[PLACES][TILE][STRIDE];
    float scores[2][WARPS][8 * GROUPS][SCORES];
    half_t weights[8 * GROUPS][WEIGHTS];
    float scales[8 * GROUPS], largest[8 * GROUPS], sums[8 * GROUPS];
    unsigned long long arrived[PLACES];
};

#if __CUDA_ARCH__ >= 900

static_assert(sizeof(Shared) <= SHARED, "as much as is asked for");

// A tile on its way, a position for each of the first threads; behind the end the last one again.
static __device__ void fetch(Shared *shared, int tile, const half_t *states, int first, int end) {
    if (threadIdx.x >= TILE) return;
    unsigned long long *barrier = &shared->arrived[tile % PLACES];
    int bytes = N_STATE * sizeof(half_t), at = min(first + tile * TILE + (int)threadIdx.x, end - 1);
    if (threadIdx.x == 0) expect(barrier, TILE * bytes);
    __syncwarp((1u << TILE) - 1);
    const half_t *from = states + (long long)at * N_STATE;
    begin_copy(shared->tiles[tile % PLACES][threadIdx.x], from, bytes, barrier);
}

// Joined over the lanes that have the positions of a tile.
template <typename Join> static __device__ float over_tile(float value) {
    for (int step = TILE / 2; step; step /= 2)
        value = Join::of(value, __shfl_xor_sync(~0u, value, step));
    return value;
}

// A warp's share of the queries, [N_HEAD, rows, N_STATE], of one row.
static __device__ void read_queries(unsigned (*queries)[GROUPS][2], const half_t *row, int rows) {
    int warp = threadIdx.x / LANES, lane = threadIdx.x % LANES;
#pragma unroll
    for (int n = 0; n < STEPS * GROUPS * 2; n++) {
        int step = n / (2 * GROUPS), group = n / 2 % GROUPS, half = n % 2;
        int head = 8 * group + lane / 4, at = warp * SHARE + 16 * step + 8 * half + lane % 4 * 2;
        const half_t *from = row + (long long)head * rows * N_STATE + at;
        queries[step][group][half] = head < N_HEAD ? *(const unsigned *)from : 0;
    }
}

// The part of a tile's scores that a warp's share of the states gives.
static __device__ void score(
    float (*scores)[SCORES], const half_t (*tile)[STRIDE], const unsigned (*queries)[GROUPS][2]) {
    int warp = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    float sums[GROUPS][4] = {};
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
        unsigned states[4];
        read_matrices(states, &tile[lane % 16][warp * SHARE + 16 * step + lane / 16 * 8]);
#pragma unroll
        for (int group = 0; group < GROUPS; group++)
            multiply(sums[group], states, queries[step][group]);
    }
#pragma unroll
    for (int n = 0; n < GROUPS * 4; n++) {
        int head = 8 * (n / 4) + lane % 4 * 2 + n % 2, position = lane / 4 + n / 2 % 2 * 8;
        scores[head][position] = sums[n / 4][n % 4];
    }
}

// Online softmax of a head: the largest score so far, and the sum of e^(score - largest).
struct Softmax {
    float largest, sum;
};

// Scores of a tile, of which `count` positions are in the window, to weights: a thread for each of a head.
static __device__ void weigh(
    Shared *shared, const float (*scores)[8 * GROUPS][SCORES], int count, Softmax *softmax) {
    int head = threadIdx.x / TILE, position = threadIdx.x % TILE;
    if (head >= 8 * GROUPS) return;
    float total = 0;
#pragma unroll
    for (int part = 0; part < WARPS; part++) total += scores[part][head][position];
    total = position < count ? total * rsqrtf(HEAD_DIM) : -1e30f;
    float largest = fmaxf(softmax->largest, over_tile<Largest>(total));
    float weight = expf(total - largest), scale = expf(softmax->largest - largest);
    softmax->sum = softmax->sum * scale + over_tile<Sum>(weight);
    softmax->largest = largest;
    shared->weights[head][position] = narrow(weight);
    if (position == 0) shared->scales[head] = scale;
}

// mixed = mixed * scale + weights * states of a tile, for a warp's share of the states.
static __device__ void mix(
    const Shared *shared, const half_t (*tile)[STRIDE], float (*mixed)[GROUPS][4]) {
    int warp = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    unsigned weights[GROUPS][2];
#pragma unroll
    for (int n = 0; n < GROUPS * 2; n++) {
        int head = 8 * (n / 2) + lane / 4;
        weights[n / 2][n % 2] = *(const unsigned *)&shared->weights[head][8 * (n % 2) + lane % 4 * 2];
        float scale = shared->scales[8 * (n / 2) + lane % 4 * 2 + n % 2];
#pragma unroll
        for (int step = 0; step < STEPS; step++) {
            mixed[step][n / 2][n % 2] *= scale;
            mixed[step][n / 2][2 + n % 2] *= scale;
        }
    }
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
        unsigned states[4];
        int position = lane % 8 + lane / 16 * 8;
        read_transposed(states, &tile[position][warp * SHARE + 16 * step + lane / 8 % 2 * 8]);
#pragma unroll
        for (int group = 0; group < GROUPS; group++)
            multiply(mixed[step][group], states, weights[group]);
    }
}

// Join a row's mixture over the blocks of a cluster, a part of the states each.
static __device__ void join_cluster(Shared *shared, half_t *out, int rows) {
    int blocks = gridDim.x;
    const float *mixed = (const float *)shared->tiles;
    meet_cluster();
    for (int n = blockIdx.x * THREADS + threadIdx.x; n < N_HEAD * N_STATE; n += blocks * THREADS) {
        int head = n / N_STATE;
        float all = over_cluster(&mixed[n], &shared->largest[head], &shared->sums[head], blocks);
        out[(long long)head * rows * N_STATE + n % N_STATE] = narrow(all);
    }
    meet_cluster();  // nobody's memory goes before it has been read
}

// `queries` and `out` are [N_HEAD, rows, N_STATE], `states` [slots, n_ctx, N_STATE]: a cluster for each
// row, whose blocks share out its window.
extern "C" __global__ void __launch_bounds__(THREADS, 1) attend_states(
    const half_t *queries, const half_t *states, half_t *out, int n_ctx) {
    extern __shared__ __align__(128) unsigned char memory[];
    Shared *shared = (Shared *)memory;
    int warp = threadIdx.x / LANES, lane = threadIdx.x % LANES, row = blockIdx.y, rows = gridDim.y;
    int share = (n_ctx + gridDim.x - 1) / gridDim.x, first = blockIdx.x * share;
    int end = min(first + share, n_ctx), tiles = (end - first + TILE - 1) / TILE;
    let_next_begin();
    states += (long long)row * n_ctx * N_STATE;
    if (threadIdx.x < PLACES) begin_barrier(&shared->arrived[threadIdx.x]);
    __syncthreads();
    for (int tile = 0; tile < min(tiles, PLACES); tile++) fetch(shared, tile, states, first, end);
    wait_for_last();
    unsigned share_of_queries[STEPS][GROUPS][2];
    read_queries(share_of_queries, queries + (long long)row * N_STATE, rows);
    float mixed[STEPS][GROUPS][4] = {};
    Softmax softmax = {-1e30f, 0};
    wait_for(&shared->arrived[0], 0);
    score(shared->scores[0][warp], shared->tiles[0], share_of_queries);
    __syncthreads();
    for (int tile = 0; tile < tiles; tile++) {
        int next = tile + 1;
        weigh(shared, shared->scores[tile % 2], end - first - tile * TILE, &softmax);
        if (next < tiles) {
            wait_for(&shared->arrived[next % PLACES], next / PLACES % 2);
            score(shared->scores[next % 2][warp], shared->tiles[next % PLACES], share_of_queries);
        }
        __syncthreads();
        mix(shared, shared->tiles[tile % PLACES], mixed);
        __syncthreads();
        if (tile + PLACES < tiles) fetch(shared, tile + PLACES, states, first, end);
    }
    if (threadIdx.x % TILE == 0 && threadIdx.x / TILE < 8 * GROUPS) {
        shared->largest[threadIdx.x / TILE] = softmax.largest;
        shared->sums[threadIdx.x / TILE] = softmax.sum;
    }
    float *all = (float *)shared->tiles;
#pragma unroll
    for (int n = 0; n < STEPS * GROUPS * 4; n++) {
        int step = n / (4 * GROUPS), group = n / 4 % GROUPS, i = n % 4;
        int head = 8 * group + lane % 4 * 2 + i % 2;
        int at = warp * SHARE + 16 * step + lane / 4 + i / 2 * 8;
        if (head < N_HEAD) all[head * N_STATE + at] = mixed[step][group][i];
    }
    join_cluster(shared, out + (long long)row * N_STATE, rows);
}

#endif
