// Argmax over N_VOCAB tokens under the token rules, its log-probability, and the row one step further.

#include "common.cuh"

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
// step further: see static_step/plain_step.py and static_step/decode_state.py.
extern "C" __global__ void __launch_bounds__(CHOOSERS) choose(
    const float *logits, const float *bias, long long *tokens, long long *positions,
    long long *pairs, long long *stamps, float *chosen, float *logprobs, int begin, int eot,
    int idle_position) {
    __shared__ Best scratch[CHOOSERS / LANES];
    int row = blockIdx.x;
    let_next_begin();
    wait_for_last();
    bool after_time = tokens[row] >= begin, pair = pairs[row] > 0;
    bool opened = after_time && !pair, closed = after_time && pair;
    int minimum = closed ? N_VOCAB : (int)stamps[row] + !opened;
    const float *scores = logits + (long long)row * N_VOCAB;
    Best text = best_of(scores, bias, opened ? eot : 0, begin, scratch);
    Best time = best_of(scores, bias, max(minimum, begin), N_VOCAB, scratch);
    if (threadIdx.x) return;
    bool due = time.sum > 0 && time.largest + logf(time.sum) > text.largest;
    Best best = due ? time : merged(text, time);
    chosen[row] = best.token;
    logprobs[row] = -logf(best.sum);
    if (best.token >= begin) stamps[row] = best.token;
    pairs[row] = after_time;
    tokens[row] = best.token;
    positions[row] = min((int)positions[row] + 1, idle_position);
}
