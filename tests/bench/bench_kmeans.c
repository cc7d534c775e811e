/* k-means alone, without streams: bench_kmeans FILE WIDTH CLUSTERS ITERATIONS THREADS, where FILE is rows of f32 as
 * numpy's tofile() writes them. Prints the seconds of all, the inertia, the iterations, and the seconds of one
 * iteration and of the product that it needs, where nothing else is done (the floor). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/progress.h"
#include "nn/backend.h"
#include "select/kmeans.h"

static double first, last; /* when the first and the last iteration were done */

static void each(void *arg, int pass, double inertia)
{
    (void)arg;
    (void)inertia;
    last = sb_seconds();
    if (!pass) first = last;
}

static float *read_rows(const char *path, int64_t width, int64_t *rows)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st)) sb_die("%s can't be read", path);
    *rows = st.st_size / (int64_t)sizeof(float) / width;
    float *x = sb_malloc((size_t)(*rows * width) * sizeof *x);
    if (fread(x, sizeof *x, (size_t)(*rows * width), f) != (size_t)(*rows * width)) sb_die("%s is cut off", path);
    fclose(f);
    return x;
}

/* Seconds of x[rows,width] c[count,width]^T where nothing but that is done, best of three. */
static double product(const struct sb_backend *b, const float *x, int64_t rows, int64_t width, int64_t count)
{
    struct sb_tensor a = {.dtype = SB_F32, .ndim = 2, .shape = {rows < 4096 ? rows : 4096, width}};
    struct sb_tensor w = {.dtype = SB_F32, .ndim = 2, .shape = {count, width}}, y = a;
    double best = 1e9;
    a.data = w.data = (void *)(uintptr_t)x; /* of a host's backend */
    y.shape[1] = count;
    y.data = b->ops->alloc(b->dev, sb_tensor_bytes(&y));
    for (int i = 0; i < 3; i++) {
        double at = sb_seconds();
        b->ops->linear(b->dev, &a, &w, NULL, NULL, SB_ACT_NONE, NULL, NULL, &y);
        b->ops->wait(b->dev);
        if (sb_seconds() - at < best) best = sb_seconds() - at;
    }
    b->ops->release(b->dev, y.data);
    return best * (double)rows / (double)a.shape[0];
}

int main(int argc, char **argv)
{
    struct sb_backend b;
    if (argc != 6) sb_die("usage: bench_kmeans FILE WIDTH CLUSTERS ITERATIONS THREADS");
    if (sb_backend_open(&b, "cpu", atoi(argv[5]))) sb_die_error();
    struct sb_kmeans m = {
        .ops = b.ops, .dev = b.dev, .d = atoi(argv[2]), .k = atoi(argv[3]), .iterations = atoi(argv[4]), .each = each};
    float *x = read_rows(argv[1], m.d, &m.n);
    double floor = product(&b, x, m.n, m.d, m.k), begun = sb_seconds();
    if (sb_kmeans(&m, x)) sb_die_error();
    printf("%.3f %.8g %d %.3f %.3f\n", sb_seconds() - begun, m.inertia, m.passes,
           m.passes ? (last - first) / m.passes : 0, floor);
    sb_kmeans_free(&m);
    sb_backend_close(&b);
    free(x);
    return 0;
}
