#include "learn/mixing.h"

#include <math.h>

#include "base/rng.h"

/* In (0, 1): its logarithm is finite. */
static double open_uniform(struct sb_rng *r) { return (sb_rng_u32(r) + 0.5) * 0x1p-32; }

/* The logarithm of a draw from Gamma(a, 1): Marsaglia and Tsang, "A simple method for generating gamma variables",
 * 2000. A logarithm, because for a small a the draw itself may be too small for a double. */
static double log_gamma_draw(struct sb_rng *r, double a)
{
    double d = a + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = sb_rng_normal(r), v = (1 + c * x) * (1 + c * x) * (1 + c * x), u = open_uniform(r);
        if (v > 0 && log(u) < x * x / 2 + d - d * v + d * log(v)) return log(d * v) + log(open_uniform(r)) / a;
    }
}

static double beta_draw(struct sb_rng *r, double a)
{
    double x = log_gamma_draw(r, a), y = log_gamma_draw(r, a);
    return 1 / (1 + exp(y - x));
}

static int clamp(int v, int most) { return v < 0 ? 0 : v > most ? most : v; }

struct sb_mixing_draw sb_mixing_draw(const struct sb_mixing *m, uint64_t seed, uint64_t epoch, uint64_t step, int side)
{
    struct sb_rng r;
    sb_rng_init(&r, seed ^ 0x6d697865u, epoch << 40 ^ step);
    bool cut = m->cutmix > 0 && (m->mixup <= 0 || sb_rng_below(&r, 2));
    double share = beta_draw(&r, cut ? m->cutmix : m->mixup);
    if (!cut) return (struct sb_mixing_draw){.mix.weight = (float)share, .share = (float)share};
    /* A square of the area 1 - share around a place anywhere in the picture; what of it lies outside is lost. */
    int cut_side = (int)(side * sqrt(1 - share)), half = cut_side / 2;
    int x = (int)sb_rng_below(&r, (uint32_t)side), y = (int)sb_rng_below(&r, (uint32_t)side);
    int x0 = clamp(x - half, side), x1 = clamp(x + half, side), y0 = clamp(y - half, side), y1 = clamp(y + half, side);
    double inside = (double)(x1 - x0) * (y1 - y0) / ((double)side * side);
    return (struct sb_mixing_draw){.mix = {.weight = 1, .box = {x0, y0, x1, y1}}, .share = (float)(1 - inside)};
}
