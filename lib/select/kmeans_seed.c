/* k-means|| (Bahmani, Moseley, Vattani, Kumar and Vassilvitskii 2012): in a few passes each vector is drawn with a
 * chance in proportion to its squared distance from those drawn before, about half as many a pass as there are
 * clusters. Those stand for the vectors nearest to them, and k-means++ (Arthur and Vassilvitskii 2007), which wants a
 * pass a cluster, chooses among them alone. It does so greedily, as scikit-learn does: of 2 + ln k that are drawn the
 * best becomes a seed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "select/kmeans_inner.h"

#define ROUNDS 5       /* as in the paper */
#define FEWEST 64      /* drawn a round, on average, of few clusters: it costs nothing then */
#define TRIALS_MOST 32 /* 2 + ln k, and no more */
#define LEAST 1e-37    /* squared distance of two candidates, which differ: a rounded one may be nothing */

struct seeding {
    struct sb_kmeans *m;
    const float *x;
    const struct sb_tensor *on_device, *index, *distance;
    int64_t rows, aim, most; /* drawn a round: on average, at most */
    struct sb_tensor few;    /* device: a round's */
    float *gathered;         /* the same, on the host */
    struct sb_rng rng;
    float *near;             /* [rows]: squared distance from the nearest candidate */
    int32_t *owner;          /* [rows]: that candidate */
    int64_t *candidate;      /* [count]: their rows */
    size_t count, cap;
};

static const float *row_of(const struct seeding *s, size_t candidate)
{
    return s->x + s->candidate[candidate] * s->m->d;
}

/* Vectors of one round may be equal: the first of them is enough. */
static void add(struct seeding *s, int64_t row, size_t first)
{
    const float *x = s->x + row * s->m->d;
    for (size_t c = first; c < s->count; c++)
        if (!memcmp(row_of(s, c), x, (size_t)s->m->d * sizeof *x)) return;
    SB_GROW(s->candidate, s->cap, s->count + 1);
    s->candidate[s->count++] = row;
}

/* Brings near and owner up to date with the candidates from `first` on. */
static void measure(struct seeding *s, size_t first)
{
    const struct sb_ops *ops = s->m->ops;
    struct sb_dev *dev = s->m->dev;
    struct sb_tensor few = s->few;
    few.shape[0] = (int64_t)(s->count - first);
    for (size_t c = first; c < s->count; c++)
        memcpy(s->gathered + (int64_t)(c - first) * s->m->d, row_of(s, c), (size_t)s->m->d * sizeof *s->x);
    ops->upload(dev, few.data, s->gathered, sb_tensor_bytes(&few));
    ops->nearest(dev, s->on_device, &few, s->index, s->distance);
    ops->fetch(dev, SB_KMEANS_INDEX, s->index->data, (size_t)s->rows * sizeof *s->owner);
    ops->fetch(dev, SB_KMEANS_DISTANCE, s->distance->data, (size_t)s->rows * sizeof *s->near);
    const int32_t *index = ops->fetched(dev, SB_KMEANS_INDEX);
    const float *distance = ops->fetched(dev, SB_KMEANS_DISTANCE);
    for (int64_t i = 0; i < s->rows; i++) {
        if (!(distance[i] < s->near[i])) continue;
        s->near[i] = distance[i];
        s->owner[i] = (int32_t)first + index[i];
    }
    for (size_t c = first; c < s->count; c++) { /* whatever a backend has rounded */
        s->near[s->candidate[c]] = 0;
        s->owner[s->candidate[c]] = (int32_t)c;
    }
}

/* False where every vector is as good as a candidate. */
static bool draw(struct seeding *s)
{
    size_t first = s->count;
    int64_t far = 0;
    double sum = 0;
    for (int64_t i = 0; i < s->rows; i++) {
        sum += s->near[i];
        if (s->near[i] > s->near[far]) far = i;
    }
    if (!(sum > 0)) return false;
    for (int64_t i = 0; i < s->rows && s->count - first < (size_t)s->most; i++) {
        double chance = (double)s->aim * s->near[i] / sum;
        if (sb_rng_uniform(&s->rng) < chance) add(s, i, first);
    }
    if (s->count == first) add(s, far, first);
    measure(s, first);
    return true;
}

static void find_candidates(struct seeding *s)
{
    int64_t first = (int64_t)(sb_rng_uniform(&s->rng) * (double)s->rows);
    for (int64_t i = 0; i < s->rows; i++) s->near[i] = INFINITY;
    add(s, first, 0);
    measure(s, 0);
    for (int round = 0; (round < ROUNDS || s->count < (size_t)s->m->k) && draw(s); round++) continue;
}

/* The candidates, each standing for the vectors that are nearest to it. */
struct choice {
    struct seeding *s;
    struct sb_tensor all, trial, product; /* device: [count,d], [trials,d], [trials,count] */
    float *rows, *products;               /* the first and the last on the host */
    double *weight, *square;              /* [count]: vectors that it stands for; |c|^2 */
    double *far, *after, *best;           /* [count]: squared distance from the nearest seed; with a trial; the best */
};

/* Draws a candidate with a chance in proportion to weight times distance; -1: all are seeds, or stand for nobody. */
static int64_t pick(struct choice *c)
{
    size_t count = c->s->count;
    double sum = 0, upto = 0;
    int64_t pick = -1;
    for (size_t i = 0; i < count; i++) sum += c->weight[i] * c->far[i];
    double at = sb_rng_uniform(&c->s->rng) * sum;
    for (size_t i = 0; i < count && upto <= at; i++) {
        upto += c->weight[i] * c->far[i];
        if (c->weight[i] * c->far[i] > 0) pick = (int64_t)i;
    }
    return pick;
}

/* Computes the products of all candidates with the drawn ones. */
static void multiply(struct choice *c, const int64_t *drawn, int64_t trials)
{
    struct sb_kmeans *m = c->s->m;
    size_t row = (size_t)m->d * sizeof(float);
    struct sb_tensor trial = c->trial, product = c->product;
    trial.shape[0] = product.shape[0] = trials;
    for (int64_t t = 0; t < trials; t++) memcpy(c->s->gathered + t * m->d, c->rows + drawn[t] * m->d, row);
    m->ops->upload(m->dev, trial.data, c->s->gathered, sb_tensor_bytes(&trial));
    m->ops->linear(m->dev, &trial, &c->all, NULL, NULL, SB_ACT_NONE, NULL, NULL, &product);
    m->ops->download(m->dev, c->products, product.data, sb_tensor_bytes(&product));
}

/* Of the drawn ones that which leaves the least distance in all becomes a seed; returns it, and updates far. */
static int64_t best_of(struct choice *c, const int64_t *drawn, int64_t trials, bool first)
{
    int64_t count = (int64_t)c->s->count, best = -1;
    double least = INFINITY;
    multiply(c, drawn, trials);
    for (int64_t t = 0; t < trials; t++) {
        const float *product = c->products + t * count;
        double sum = 0;
        for (int64_t i = 0; i < count; i++) {
            double far = c->square[i] + c->square[drawn[t]] - 2 * (double)product[i];
            far = i == drawn[t] ? 0 : far > LEAST ? far : LEAST;
            c->after[i] = first || far < c->far[i] ? far : c->far[i];
            sum += c->weight[i] * c->after[i];
        }
        if (t && !(sum < least)) continue;
        double *swap = c->best;
        c->best = c->after, c->after = swap;
        least = sum, best = drawn[t];
    }
    memcpy(c->far, c->best, (size_t)count * sizeof *c->far);
    return best;
}

static void choose_among(struct choice *c)
{
    struct sb_kmeans *m = c->s->m;
    int64_t drawn[TRIALS_MOST], k = 0, trials = 2 + (int64_t)log((double)m->k);
    for (; k < m->k; k++) {
        int64_t count = 0;
        for (int64_t t = 0; t < trials; t++)
            if ((drawn[count] = pick(c)) >= 0) count++;
        if (!count) break;
        int64_t seed = best_of(c, drawn, count, !k);
        memcpy(m->centroid + k * m->d, row_of(c->s, (size_t)seed), (size_t)m->d * sizeof *m->centroid);
    }
    m->k = k;
}

/* Their mean is taken off: where all vectors are alike, products would lose what tells them apart. The first seed is
 * drawn by weight alone. */
static void weigh(struct choice *c)
{
    const struct seeding *s = c->s;
    int64_t d = s->m->d;
    double *mean = sb_calloc((size_t)d, sizeof *mean);
    for (size_t i = 0; i < s->count; i++)
        for (int64_t j = 0; j < d; j++) mean[j] += row_of(s, i)[j] / (double)s->count;
    for (size_t i = 0; i < s->count; i++) {
        float *row = c->rows + (int64_t)i * d;
        for (int64_t j = 0; j < d; j++) {
            row[j] = (float)(row_of(s, i)[j] - mean[j]);
            c->square[i] += (double)row[j] * row[j];
        }
        c->far[i] = 1;
    }
    for (int64_t i = 0; i < s->rows; i++) c->weight[s->owner[i]]++;
    free(mean);
}

static int choose(struct seeding *s)
{
    struct sb_kmeans *m = s->m;
    int64_t count = (int64_t)s->count;
    struct choice c = {.s = s, .all = sb_kmeans_matrix(count, m->d), .trial = sb_kmeans_matrix(TRIALS_MOST, m->d),
                       .product = sb_kmeans_matrix(TRIALS_MOST, count)};
    struct sb_tensor *each[] = {&c.all, &c.trial, &c.product};
    double **sums[] = {&c.weight, &c.square, &c.far, &c.after, &c.best};
    c.rows = sb_malloc(sb_tensor_bytes(&c.all));
    c.products = sb_malloc(sb_tensor_bytes(&c.product));
    for (int i = 0; i < 5; i++) *sums[i] = sb_calloc(s->count, sizeof **sums[i]);
    int rc = sb_kmeans_take(m, each, 3);
    if (!rc) {
        weigh(&c);
        m->ops->upload(m->dev, c.all.data, c.rows, sb_tensor_bytes(&c.all));
        choose_among(&c);
    }
    sb_kmeans_release(m, each, 3);
    for (int i = 0; i < 5; i++) free(*sums[i]);
    free(c.rows);
    free(c.products);
    return rc;
}

int sb_kmeans_seed(struct sb_kmeans *m, const float *x, const struct sb_tensor *on_device,
                   const struct sb_tensor *index, const struct sb_tensor *distance)
{
    struct seeding s = {.m = m, .x = x, .on_device = on_device, .index = index, .distance = distance,
                        .rows = on_device->shape[0], .aim = m->k / 2 > FEWEST ? m->k / 2 : FEWEST};
    s.most = 2 * s.aim < s.rows ? 2 * s.aim : s.rows;
    s.few = sb_kmeans_matrix(s.most, m->d);
    struct sb_tensor *few = &s.few;
    if (sb_kmeans_take(m, &few, 1)) return -1;
    s.near = sb_malloc((size_t)s.rows * sizeof *s.near);
    s.owner = sb_calloc((size_t)s.rows, sizeof *s.owner);
    s.gathered = sb_malloc((size_t)((s.most > TRIALS_MOST ? s.most : TRIALS_MOST) * m->d) * sizeof *s.gathered);
    sb_rng_init(&s.rng, m->seed, 0);
    find_candidates(&s);
    int rc = choose(&s);
    sb_kmeans_release(m, &few, 1);
    free(s.near);
    free(s.owner);
    free(s.gathered);
    free(s.candidate);
    return rc;
}
