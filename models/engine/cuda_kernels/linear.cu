// Few-row GEMV fused with layer norm, GELU and residual, for ROWS rows of N_IN inputs: with few rows the
// time goes into starting kernels and waiting for memory, so one does as much as it can.

#include "common.cuh"

#define THREADS 128
#define PIECES (N_IN / 8)  // of eight numbers, which a lane reads at once
#define LANE_PIECES ((PIECES + LANES - 1) / LANES)

// The number of a lane's n-th piece in its row; there may be no such.
static __device__ int lane_piece(int n) { return threadIdx.x % LANES + n * LANES; }

static __device__ void read_pieces(uint4 *pieces, const half_t *row) {
#pragma unroll
    for (int n = 0; n < LANE_PIECES; n++) {
        pieces[n] = make_uint4(0, 0, 0, 0);
        if (lane_piece(n) < PIECES) pieces[n] = ((const uint4 *)row)[lane_piece(n)];
    }
}

#if NORMALIZES

// Layer norm of a row: the mean, and the factor to a variance of one.
struct Spread {
    float mean, scale;
};

static __device__ Spread spread_of(const uint4 *pieces) {
    float sum = 0, squares = 0, numbers[8];
#pragma unroll
    for (int n = 0; n < LANE_PIECES; n++) {
        widen8(pieces[n], numbers);
        for (int i = 0; i < 8; i++) sum += numbers[i];
    }
    float mean = over_warp<Sum>(sum) / N_IN;
#pragma unroll
    for (int n = 0; n < LANE_PIECES; n++) {
        widen8(pieces[n], numbers);
        for (int i = 0; i < 8 && lane_piece(n) < PIECES; i++)
            squares += (numbers[i] - mean) * (numbers[i] - mean);
    }
    Spread spread = {mean, rsqrtf(over_warp<Sum>(squares) / N_IN + 1e-5f)};
    return spread;
}

#endif

// out = residual + gelu(norm(inputs) weight + bias), [ROWS, n_out]: a warp for each COLUMNS of the
// columns. What is switched off (`activates`, `adds`, NORMALIZES are 0) is left out.
extern "C" __global__ void __launch_bounds__(THREADS, COLUMNS > 1 ? 5 : 4) linear(
    const half_t *inputs, const half_t *gain, const half_t *shift, const half_t *weight,
    const half_t *bias, const half_t *residual, half_t *out, int n_out, int activates, int adds) {
    int first = (blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES) * COLUMNS;
    let_next_begin();
    uint4 weights[COLUMNS][LANE_PIECES];
    float constant[COLUMNS];
#pragma unroll
    for (int n = 0; n < COLUMNS; n++) {
        int column = min(first + n, n_out - 1);
        read_pieces(weights[n], weight + (long long)column * N_IN);
        constant[n] = widen(bias[column]);
    }
#if NORMALIZES
    __shared__ uint4 gains[PIECES], shifts[PIECES];
    for (int at = threadIdx.x; at < PIECES; at += THREADS) {
        gains[at] = ((const uint4 *)gain)[at];
        shifts[at] = ((const uint4 *)shift)[at];
    }
    __syncthreads();
#endif
    wait_for_last();
#pragma unroll
    for (int row = 0; row < ROWS; row++) {
        uint4 pieces[LANE_PIECES];
        float sums[COLUMNS] = {}, added[COLUMNS] = {};
        read_pieces(pieces, inputs + row * N_IN);
        for (int n = 0; n < COLUMNS && adds; n++)
            added[n] = widen(residual[row * n_out + min(first + n, n_out - 1)]);
#if NORMALIZES
        Spread spread = spread_of(pieces);
#endif
#pragma unroll
        for (int piece = 0; piece < LANE_PIECES; piece++) {
            float numbers[8];
            widen8(pieces[piece], numbers);
#if NORMALIZES
            float times[8], plus[8];
            int at = min(lane_piece(piece), PIECES - 1);
            widen8(gains[at], times);
            widen8(shifts[at], plus);
            for (int i = 0; i < 8; i++)
                numbers[i] = (numbers[i] - spread.mean) * spread.scale * times[i] + plus[i];
#endif
            for (int n = 0; n < COLUMNS; n++) sums[n] += dot8(weights[n][piece], numbers);
        }
#pragma unroll
        for (int n = 0; n < COLUMNS; n++) {
            float sum = over_warp<Sum>(sums[n]) + constant[n];
            if (activates) sum = 0.5f * sum * (1 + erff(sum * 0.70710678f));
            if (threadIdx.x % LANES == 0 && first + n < n_out)
                out[row * n_out + first + n] = narrow(sum + added[n]);
        }
    }
}
