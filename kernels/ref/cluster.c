#include "kernels/ref/ref.h"

void sb_ref_nearest(struct sb_dev *d, sb_in x, sb_in c, sb_out index, sb_out distance)
{
    (void)d;
    int64_t n = x->shape[0], k = c->shape[0], dim = x->shape[1];
    const float *row = x->data, *centre = c->data;
    for (int64_t i = 0; i < n; i++) {
        double best = INFINITY;
        int64_t winner = 0;
        for (int64_t j = 0; j < k; j++) {
            double sum = 0;
            for (int64_t e = 0; e < dim; e++) {
                double diff = (double)row[i * dim + e] - centre[j * dim + e];
                sum += diff * diff;
            }
            if (sum < best) {
                best = sum;
                winner = j;
            }
        }
        sb_store(index, i, (double)winner);
        sb_store(distance, i, best);
    }
}

void sb_ref_nearest_sum(struct sb_dev *d, sb_in x, sb_in index, sb_out sum, sb_out count)
{
    int64_t n = x->shape[0], k = sum->shape[0], dim = x->shape[1];
    const int32_t *cluster = index->data;
    double *total = sb_ref_scratch(d, k * (dim + 1)), *members = total + k * dim;
    for (int64_t i = 0; i < k * (dim + 1); i++) total[i] = 0;
    for (int64_t i = 0; i < n; i++) {
        members[cluster[i]]++;
        for (int64_t j = 0; j < dim; j++) total[cluster[i] * dim + j] += sb_load(x, i * dim + j);
    }
    sb_store_run(sum, 0, total, k * dim);
    sb_store_run(count, 0, members, k);
}

void sb_ref_centroids(struct sb_dev *d, sb_in sum, sb_in count, sb_in c, sb_out y)
{
    (void)d;
    int64_t dim = sum->shape[1];
    for (int64_t i = 0; i < sb_tensor_count(sum); i++) {
        double members = sb_load(count, i / dim);
        sb_store(y, i, members > 0 ? sb_load(sum, i) / members : sb_load(c, i));
    }
}
