#include "weights/positions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Keys' cubic with a = -0.5. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

/* weight[out][in]: how much each old place gives to each new one. */
static double *weights(int64_t in, int64_t out)
{
    double *w = sb_calloc((size_t)(in * out), sizeof *w);
    double scale = (double)in / (double)out, wide = scale > 1 ? scale : 1, support = 2 * wide;
    for (int64_t o = 0; o < out; o++) {
        double centre = ((double)o + 0.5) * scale, sum = 0;
        int64_t first = (int64_t)(centre - support + 0.5), end = (int64_t)(centre + support + 0.5);
        if (first < 0) first = 0;
        if (end > in) end = in;
        for (int64_t i = first; i < end; i++) sum += w[o * in + i] = cubic(((double)i - centre + 0.5) / wide);
        for (int64_t i = first; i < end; i++) w[o * in + i] /= sum;
    }
    return w;
}

void sb_positions_resize(const float *from, int64_t prefix, int64_t rows, int64_t columns, int64_t new_side,
                         int64_t dim, float *to)
{
    memcpy(to, from, (size_t)(prefix * dim) * sizeof *to);
    from += prefix * dim;
    to += prefix * dim;
    double *across = weights(columns, new_side), *down = weights(rows, new_side);
    double *wide = sb_calloc((size_t)(rows * new_side * dim), sizeof *wide); /* [rows,new_side,dim] */
    for (int64_t y = 0; y < rows; y++) {
        for (int64_t x = 0; x < new_side; x++) {
            for (int64_t i = 0; i < columns; i++) {
                double weight = across[x * columns + i];
                for (int64_t d = 0; d < dim; d++)
                    wide[(y * new_side + x) * dim + d] += weight * (double)from[(y * columns + i) * dim + d];
            }
        }
    }
    for (int64_t y = 0; y < new_side; y++) {
        for (int64_t xd = 0; xd < new_side * dim; xd++) {
            double sum = 0;
            for (int64_t i = 0; i < rows; i++) sum += down[y * rows + i] * wide[i * new_side * dim + xd];
            to[y * new_side * dim + xd] = (float)sum;
        }
    }
    free(wide);
    free(across);
    free(down);
}
