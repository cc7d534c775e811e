/* Draws an animal's parts over a band of rows. */
#include "media/sea_inner.h"

struct haze_row {
    const struct sea_haze *haze;
    const float *lamp;
    float *rgb[3];
};

/* What a segment of the spine needs to tell which pixels it covers. */
struct segment {
    const struct sea_part *part;
    int i;
    bool first, last;
    float steep; /* makes distances across a widening band true ones */
};

static float texel(float a, float b)
{
    int ia = (int)(a + 4096.0f) & (SEA_TILE - 1), ib = (int)(b + 4096.0f) & (SEA_TILE - 1);
    return sea_noise()[ib * SEA_TILE + ia];
}

/* How much of the mark's colour shows at u along (in units of the part's width scale) and v across. */
static float pattern_at(const struct sea_part *p, float along, float across, float v)
{
    float a = along / p->pitch, soft = 0.12f;
    if (p->pattern == SEA_STRIPES) {
        float s = sea_wave(a + 0.05f * v * v);
        return sea_smooth(0.35f - soft, 0.35f + soft * 2, s);
    }
    if (p->pattern == SEA_LINES) {
        float s = sea_wave(v * 1.25f + 0.25f);
        return sea_smooth(0.5f, 0.75f, s);
    }
    float b = across / p->pitch + 100.0f;
    int row = (int)b;
    float fa = a * 1.0f + 100.0f + ((row & 1) ? 0.5f : 0.0f);
    int column = (int)fa;
    float dx = fa - (float)column - 0.5f, dy = b - (float)row - 0.5f;
    dx += 0.25f * (sea_chance((uint32_t)column, (uint32_t)row) - 0.5f);
    return 1.0f - sea_smooth(0.06f, 0.11f, dx * dx + dy * dy);
}

static void shade(const struct sea_part *p, const struct haze_row *row, int x, float cover, float along, float d,
                  float v, float ny)
{
    float flat = sqrtf(sea_clamp(1.0f - v * v * p->round, 0.0f, 1.0f));
    float up = -ny * v * p->round;
    float alpha = cover * p->alpha * (1.0f - p->rim * (1.0f - v * v * v * v));
    if (p->shadow) {
        float f = 2.0f * along / p->along[p->points - 1] - 1.0f, in = 1.0f - (f * f + v * v * (1.0f - f * f));
        alpha *= in * (2.0f - in);
        for (int c = 0; c < 3; c++) row->rgb[c][x] *= 1.0f - alpha;
        return;
    }
    float under = sea_clamp(-up * 1.6f + 0.05f, 0.0f, 1.0f);
    float m = p->pattern ? pattern_at(p, along, d, v) : 0.0f;
    float light = (0.42f + 0.26f * up + 0.45f * flat);
    if (p->texture > 0.0f) light *= 1.0f + p->texture * 2.0f * (texel(along * p->grain, d * p->grain + 37.0f) - 0.5f);
    float lamp = row->lamp[x], glow = 1.0f + SEA_GLOW * lamp;
    for (int c = 0; c < 3; c++) {
        float own = sea_mix(sea_mix(p->base[c], p->mark[c], m), p->belly[c], under);
        float seen = own * light * (row->haze->ambient[c] + row->haze->lamp[c] * lamp) + row->haze->scatter[c] * glow;
        row->rgb[c][x] += alpha * (seen - row->rgb[c][x]);
    }
}

static void draw_row(const struct segment *s, const struct haze_row *row, float y, int x0, int x1)
{
    const struct sea_part *p = s->part;
    int i = s->i, j = i + 1;
    float lo = s->first ? -0.5f : 0.0f, hi = s->last ? 0.5f : 0.0f;
    float dy0 = y - p->y[i], dy1 = y - p->y[j];
    for (int x = x0; x < x1; x++) {
        float px = (float)x + 0.5f;
        float a = (px - p->x[i]) * p->tx[i] + dy0 * p->ty[i];
        float b = (px - p->x[j]) * p->tx[j] + dy1 * p->ty[j];
        if (a < lo || b >= hi) continue;
        float t = sea_clamp(a / (a - b + 1e-6f), 0.0f, 1.0f);
        float nx = -sea_mix(p->ty[i], p->ty[j], t), ny = sea_mix(p->tx[i], p->tx[j], t);
        float d = (px - sea_mix(p->x[i], p->x[j], t)) * nx + (y - sea_mix(p->y[i], p->y[j], t)) * ny;
        float w = sea_mix(p->w[i], p->w[j], t);
        float out = ((d < 0 ? -d : d) - w) * s->steep;
        float cover = sea_clamp(0.5f - out / p->soft, 0.0f, 1.0f);
        if (cover <= 0.0f) continue;
        if (p->soft > 1.0f) cover = cover * cover * (3.0f - 2.0f * cover);
        if (w < 0.5f) cover *= 2.0f * w;
        if (s->first) cover *= sea_clamp(a + 0.5f, 0.0f, 1.0f);
        if (s->last) cover *= sea_clamp(0.5f - b, 0.0f, 1.0f);
        shade(p, row, x, cover, sea_mix(p->along[i], p->along[j], t), d, sea_clamp(d / (w + 1e-3f), -1.0f, 1.0f), ny);
    }
}

static void draw_segment(const struct sea_part *p, int i, const struct sea_haze *haze, const struct sea_band *band)
{
    int j = i + 1;
    float length = p->along[j] - p->along[i];
    if (length < 1e-4f) return;
    float rise = (p->w[j] - p->w[i]) / length, pad = 1.0f + 0.5f * p->soft;
    struct segment s = {p, i, i == 0, j == p->points - 1, 1.0f / sqrtf(1.0f + rise * rise)};
    float x0 = 1e9f, x1 = -1e9f, y0 = 1e9f, y1 = -1e9f;
    for (int k = i; k <= j; k++) {
        float ax = p->ty[k] < 0 ? -p->ty[k] : p->ty[k], ay = p->tx[k] < 0 ? -p->tx[k] : p->tx[k];
        float rx = ax * p->w[k] + pad, ry = ay * p->w[k] + pad;
        x0 = p->x[k] - rx < x0 ? p->x[k] - rx : x0;
        x1 = p->x[k] + rx > x1 ? p->x[k] + rx : x1;
        y0 = p->y[k] - ry < y0 ? p->y[k] - ry : y0;
        y1 = p->y[k] + ry > y1 ? p->y[k] + ry : y1;
    }
    int left = (int)sea_clamp(x0, 0.0f, (float)band->width),
        right = (int)sea_clamp(x1 + 1.0f, 0.0f, (float)band->width);
    int top = (int)sea_clamp(y0, (float)band->y0, (float)band->y1),
        bottom = (int)sea_clamp(y1 + 1.0f, (float)band->y0, (float)band->y1);
    for (int y = top; y < bottom; y++) {
        size_t at = (size_t)(y - band->y0) * (size_t)band->width;
        struct haze_row row = {haze, band->lamp + at, {band->rgb[0] + at, band->rgb[1] + at, band->rgb[2] + at}};
        draw_row(&s, &row, (float)y + 0.5f, left, right);
    }
}

void sea_draw_pose(const struct sea_pose *pose, const struct sea_haze *haze, const struct sea_band *band)
{
    for (int k = 0; k < pose->parts; k++) {
        const struct sea_part *p = &pose->part[k];
        float pad = 1.0f + p->soft;
        if (p->box[3] + pad < (float)band->y0 || p->box[1] - pad > (float)band->y1) continue;
        if (p->box[2] + pad < 0.0f || p->box[0] - pad > (float)band->width) continue;
        for (int i = 0; i + 1 < p->points; i++) draw_segment(p, i, haze, band);
    }
}
