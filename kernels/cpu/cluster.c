/* Distances are |x|^2 - 2 x c + |c|^2 through a matmul, which loses digits where x and c are near. So it only picks the
 * candidates: those that may be nearest within the error are measured again, term by term. */
#include <math.h>

#include "kernels/cpu/cpu.h"

#define ROWS 256 /* of x a matmul; scores of them and all centres are kept */
#define RUN 64   /* scores that are looked at together for candidates */

static double distance2(const float *a, const float *b, int64_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) {
        double diff = (double)a[i] - (double)b[i];
        sum += diff * diff;
    }
    return sum;
}

static float square(const float *a, int64_t n)
{
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += a[i] * a[i];
    return sum;
}

struct centres {
    const float *row, *square;
    float largest; /* of square */
    int64_t count, width;
};

/* The nearest centre to one row; dot[count] are its products with each. */
static int32_t pick(const struct centres *c, const float *x, const float *dot, float *distance)
{
    float least = INFINITY, own = square(x, c->width);
    const float *squares = c->square;
#pragma omp simd reduction(min : least)
    for (int64_t i = 0; i < c->count; i++) {
        float score = squares[i] - 2.0f * dot[i];
        least = score < least ? score : least;
    }
    /* sums of this many products in f32 are off by about this much, at most */
    float slack = 4.0f * 1.2e-7f * sqrtf((float)c->width) * (own + c->largest) + 1e-30f;
    double best = INFINITY;
    int32_t winner = 0;
    for (int64_t at = 0; at < c->count; at += RUN) {
        int64_t end = at + RUN < c->count ? at + RUN : c->count;
        int candidates = 0;
#pragma omp simd reduction(+ : candidates)
        for (int64_t i = at; i < end; i++) candidates += !(squares[i] - 2.0f * dot[i] > least + slack);
        for (int64_t i = at; candidates && i < end; i++) {
            if (squares[i] - 2.0f * dot[i] > least + slack) continue;
            double exact = distance2(x, c->row + i * c->width, c->width);
            if (exact < best) {
                best = exact;
                winner = (int32_t)i;
            }
        }
    }
    *distance = (float)best;
    return winner;
}

void sb_cpu_nearest(struct sb_dev *d, sb_in x, sb_in c, sb_out index, sb_out distance)
{
    int64_t n = x->shape[0], width = x->shape[1], count = c->shape[0];
    struct centres centres = {.row = c->data, .count = count, .width = width};
    sb_cpu_reserve(d, count + ROWS * count);
    float *squares = sb_cpu_part(d, 0), *dot = squares + count;
    for (int64_t i = 0; i < count; i++) {
        squares[i] = square(centres.row + i * width, width);
        if (squares[i] > centres.largest) centres.largest = squares[i];
    }
    centres.square = squares;
    for (int64_t at = 0; at < n; at += ROWS) {
        int64_t rows = n - at < ROWS ? n - at : ROWS;
        struct sb_matmul q = {.m = rows, .n = count, .k = width, .in = SB_F32, .out = SB_F32, .w_transposed = 1};
        const float *from = (const float *)x->data + at * width;
        sb_cpu_matmul(d, &q, from, c->data, NULL, NULL, dot);
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, rows * (count + width)))
        for (int64_t i = 0; i < rows; i++) {
            ((int32_t *)index->data)[at + i] =
                pick(&centres, from + i * width, dot + i * count, (float *)distance->data + at + i);
        }
    }
}

/* Each thread takes a stripe of the columns through all rows: sums in order of rows whatever the threads. */
void sb_cpu_nearest_sum(struct sb_dev *d, sb_in x, sb_in index, sb_out sum, sb_out count)
{
    int64_t n = x->shape[0], width = x->shape[1], clusters = sum->shape[0];
    const int32_t *cluster = index->data;
    float *members = count->data;
    memset(sum->data, 0, sb_tensor_bytes(sum));
    memset(members, 0, (size_t)clusters * sizeof *members);
    for (int64_t i = 0; i < n; i++) members[cluster[i]] += 1.0f;
#pragma omp parallel num_threads(sb_cpu_threads(d, n * width))
    {
        int64_t from, to;
        sb_cpu_share(width, &from, &to);
        for (int64_t i = 0; i < n; i++) {
            const float *a = (const float *)x->data + i * width;
            float *total = (float *)sum->data + cluster[i] * width;
            for (int64_t j = from; j < to; j++) total[j] += a[j];
        }
    }
}

void sb_cpu_centroids(struct sb_dev *d, sb_in sum, sb_in count, sb_in c, sb_out y)
{
    int64_t clusters = sum->shape[0], width = sum->shape[1];
    const float *members = count->data;
#pragma omp parallel for schedule(static) num_threads(sb_cpu_threads(d, clusters * width))
    for (int64_t i = 0; i < clusters; i++) {
        float *to = (float *)y->data + i * width;
        const float *from = (const float *)(members[i] > 0 ? sum : c)->data + i * width;
        float all = members[i] > 0 ? members[i] : 1;
        for (int64_t j = 0; j < width; j++) to[j] = from[j] / all;
    }
}
