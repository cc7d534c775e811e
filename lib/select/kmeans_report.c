#include "select/kmeans_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"

#define SIZES_SHOWN 40 /* clusters; of more, quartiles */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void say_sizes(const struct sb_kmeans *m)
{
    struct sb_buffer text = {0};
    FILE *out = sb_buffer_stdio(&text);
    if (m->k <= SIZES_SHOWN) {
        for (int64_t j = 0; j < m->k; j++) fprintf(out, " %" PRId64, m->size[j]);
    } else {
        int64_t *size = sb_malloc((size_t)m->k * sizeof *size);
        memcpy(size, m->size, (size_t)m->k * sizeof *size);
        qsort(size, (size_t)m->k, sizeof *size, by_value);
        fprintf(out, " a quarter up to %" PRId64 ", half up to %" PRId64 ", three quarters up to %" PRId64,
                size[m->k / 4], size[m->k / 2], size[m->k * 3 / 4]);
        free(size);
    }
    fclose(out);
    sb_warn("sizes:%.*s", (int)text.size, (const char *)text.data);
    free(text.data);
}

static double silhouette_of(const struct sb_kmeans *m, const struct sb_sample *s)
{
    int32_t *cluster = sb_malloc((size_t)s->n * sizeof *cluster);
    for (int64_t i = 0; i < s->n; i++) cluster[i] = m->index[s->row[i]];
    double silhouette = sb_silhouette(s, cluster, m->k);
    free(cluster);
    return silhouette;
}

void sb_kmeans_report(const struct sb_kmeans *m, const struct sb_sample *s, int64_t wanted)
{
    int64_t least = m->size[0], most = m->size[0];
    for (int64_t j = 1; j < m->k; j++) {
        if (m->size[j] < least) least = m->size[j];
        if (m->size[j] > most) most = m->size[j];
    }
    if (m->k < wanted) sb_warn("only %" PRId64 " different records: so many clusters", m->k);
    sb_warn("%" PRId64 " clusters of %" PRId64 " to %" PRId64 " records, inertia %.6g after %d iterations%s", m->k,
            least, most, m->spherical ? m->inertia / 2 : m->inertia, m->passes,
            m->converged || !m->iterations ? "" : ", not yet at rest");
    sb_warn("silhouette %.4f on %s%" PRId64 " records", silhouette_of(m, s), s->n < m->n ? "a sample of " : "", s->n);
    say_sizes(m);
}
