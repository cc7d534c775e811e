/* The sea floor: three repeating textures made once, and their rows in perspective.
 *
 * The camera does not roll, so a row of the frame lies at one distance: its light and its texture level are found
 * once. A texel holds how bright the floor is there (relief lit from the lamps' side) and how much of its second
 * colour it has. */
#include "media/sea_inner.h"

#include <pthread.h>

#define LEVELS 8
#define FLOORS 3
#define TEXELS_A_METRE 170.0f

struct texel {
    float light, tone;
};

static struct texel *texture[FLOORS][LEVELS];
static float noise[SEA_TILE * SEA_TILE];
static float *height_map, *tone_map; /* while a texture is made */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- noise that repeats ------------------------------------------------------------------------------------------ */

static float lattice(int x, int y, int period, uint32_t salt)
{
    return sea_chance((uint32_t)((y & (period - 1)) * period + (x & (period - 1))), salt);
}

static float value_noise(float x, float y, int period, uint32_t salt)
{
    int ix = (int)x, iy = (int)y;
    float fx = sea_smooth(0, 1, x - (float)ix), fy = sea_smooth(0, 1, y - (float)iy);
    float a = sea_mix(lattice(ix, iy, period, salt), lattice(ix + 1, iy, period, salt), fx);
    float b = sea_mix(lattice(ix, iy + 1, period, salt), lattice(ix + 1, iy + 1, period, salt), fx);
    return sea_mix(a, b, fy);
}

/* u, v in [0, 1): octaves from `first` cells a side on; about 0 to 1. */
static float fractal(float u, float v, int first, int octaves, float gain, uint32_t salt)
{
    float sum = 0, weight = 1, total = 0;
    for (int k = 0, cells = first; k < octaves; k++, cells *= 2) {
        sum += weight * value_noise(u * (float)cells, v * (float)cells, cells, salt + (uint32_t)k);
        total += weight;
        weight *= gain;
    }
    return sum / total;
}

/* Distances to the nearest and the second nearest of points scattered one a cell. */
static void cells_at(float u, float v, int cells, uint32_t salt, float near[2], uint32_t *which)
{
    float x = u * (float)cells, y = v * (float)cells;
    near[0] = near[1] = 9;
    *which = 0;
    for (int j = -1; j <= 1; j++) {
        for (int i = -1; i <= 1; i++) {
            int cx = (int)x + i, cy = (int)y + j;
            uint32_t id = (uint32_t)((cy & (cells - 1)) * cells + (cx & (cells - 1)));
            float dx = (float)cx + sea_chance(id, salt) - x, dy = (float)cy + sea_chance(id, salt + 1) - y;
            float d = sqrtf(dx * dx + dy * dy);
            if (d < near[0]) {
                near[1] = near[0];
                near[0] = d;
                *which = id;
            } else if (d < near[1]) {
                near[1] = d;
            }
        }
    }
}

/* ---- making the textures ----------------------------------------------------------------------------------------- */

static void sand(float u, float v, float *height, float *tone)
{
    float warp = fractal(u, v, 4, 3, 0.5f, 11);
    float ripple = sea_wave(v * 22.0f + u * 4.0f + warp * 1.7f + 4.0f);
    float strength = sea_smooth(0.25f, 0.7f, fractal(u, v, 4, 2, 0.5f, 17));
    float grain = fractal(u, v, 128, 2, 0.7f, 23);
    float near[2];
    uint32_t id;
    cells_at(u, v, 32, 31, near, &id);
    float shell = sea_chance(id, 5) > 0.86f ? 1.0f - sea_smooth(0.08f, 0.2f, near[0]) : 0.0f;
    *height = 1.3f * strength * ripple + 1.2f * warp + 1.0f * grain + 1.6f * shell;
    *tone = sea_clamp(0.30f * fractal(u, v, 8, 4, 0.5f, 29) + 0.35f * grain + 0.7f * shell * sea_chance(id, 8), 0, 1);
}

/* Stones of one size: a rounded one in most cells. Raises the height where a stone is on top. */
static void stones(float u, float v, int cells, float share, uint32_t salt, float *height, float *shade)
{
    float near[2];
    uint32_t id;
    cells_at(u, v, cells, salt, near, &id);
    float radius = 0.30f + 0.32f * sea_chance(id, salt + 2), d = near[0] / radius;
    float edge = near[1] - near[0];
    if (sea_chance(id, salt + 3) > share || d >= 1.0f || edge < 0.03f) return;
    float h = sqrtf(1.0f - d * d) * sea_smooth(0.0f, 0.35f, edge) * radius * 190.0f / (float)cells;
    if (h <= *height) return;
    *height = h;
    *shade = sea_chance(id, salt + 4);
}

static void rock(float u, float v, float *height, float *tone)
{
    float wu = u + 0.05f * fractal(u, v, 8, 4, 0.55f, 41) + 1.0f,
          wv = v + 0.05f * fractal(u, v, 8, 4, 0.55f, 43) + 1.0f;
    float rough = fractal(u, v, 32, 4, 0.65f, 59), patch = sea_smooth(0.5f, 0.66f, fractal(u, v, 8, 4, 0.55f, 61)),
          shade = 0.2f;
    *height = 0.5f;
    stones(wu, wv, 4, 0.8f, 47, height, &shade);
    stones(wu, wv, 8, 0.8f, 147, height, &shade);
    stones(wu, wv, 16, 0.9f, 247, height, &shade);
    stones(wu, wv, 32, 0.9f, 347, height, &shade);
    *height += 4.5f * rough;
    *tone = sea_clamp(0.55f * shade + 0.6f * patch, 0, 1);
}

static void mud(float u, float v, float *height, float *tone)
{
    float near[2];
    uint32_t id;
    cells_at(u, v, 8, 71, near, &id);
    bool burrow = sea_chance(id, 9) > 0.45f;
    float mound = burrow ? 1.0f - sea_smooth(0.05f, 0.4f, near[0]) : 0.0f,
          hole = burrow ? 1.0f - sea_smooth(0.05f, 0.12f, near[0]) : 0.0f;
    *height = 2.4f * fractal(u, v, 4, 4, 0.5f, 73) + 2.6f * mound - 5.0f * hole +
              0.35f * fractal(u, v, 64, 2, 0.6f, 79);
    *tone = sea_clamp(0.35f * fractal(u, v, 8, 4, 0.5f, 83) + 0.3f * mound - 0.9f * hole + 0.2f, 0, 1);
}

static void light_relief(struct texel *out, float steep, float hollow)
{
    for (int y = 0; y < SEA_TILE; y++) {
        for (int x = 0; x < SEA_TILE; x++) {
            int right = (x + 1) & (SEA_TILE - 1), below = (y + 1) & (SEA_TILE - 1);
            float h = height_map[y * SEA_TILE + x];
            float dx = height_map[y * SEA_TILE + right] - h, dy = height_map[below * SEA_TILE + x] - h;
            float light = 0.58f + steep * (0.45f * dx - 0.8f * dy) + hollow * h;
            struct texel *t = &out[y * SEA_TILE + x];
            t->light = sea_clamp(light, 0.12f, 1.25f);
            t->tone = tone_map[y * SEA_TILE + x];
        }
    }
}

static struct texel *halve(const struct texel *in, int side)
{
    int half = side / 2;
    struct texel *out = sb_malloc(sizeof *out * (size_t)half * (size_t)half);
    for (int y = 0; y < half; y++) {
        for (int x = 0; x < half; x++) {
            const struct texel *a = in + 2 * y * side + 2 * x, *b = a + side;
            out[y * half + x].light = 0.25f * (a[0].light + a[1].light + b[0].light + b[1].light);
            out[y * half + x].tone = 0.25f * (a[0].tone + a[1].tone + b[0].tone + b[1].tone);
        }
    }
    return out;
}

static void make_textures(void)
{
    static void (*const make[FLOORS])(float, float, float *, float *) = {sand, rock, mud};
    static const float steep[FLOORS] = {0.34f, 0.30f, 0.5f}, hollow[FLOORS] = {0.02f, 0.028f, 0.012f};
    size_t count = (size_t)SEA_TILE * SEA_TILE;
    height_map = sb_malloc(sizeof *height_map * count);
    tone_map = sb_malloc(sizeof *tone_map * count);
    for (int f = 0; f < FLOORS; f++) {
        for (size_t i = 0; i < count; i++) {
            float u = (float)(i % SEA_TILE) / SEA_TILE, v = (float)(i / SEA_TILE) / SEA_TILE;
            make[f](u, v, &height_map[i], &tone_map[i]);
        }
        texture[f][0] = sb_malloc(sizeof **texture[f] * count);
        light_relief(texture[f][0], steep[f], hollow[f]);
        for (int k = 1, side = SEA_TILE; k < LEVELS; k++, side /= 2) texture[f][k] = halve(texture[f][k - 1], side);
    }
    for (size_t i = 0; i < count; i++)
        noise[i] = fractal((float)(i % SEA_TILE) / SEA_TILE, (float)(i / SEA_TILE) / SEA_TILE, 32, 4, 0.6f, 97);
    free(height_map);
    free(tone_map);
}

const float *sea_noise(void)
{
    pthread_once(&once, make_textures);
    return noise;
}

/* ---- rows in perspective ----------------------------------------------------------------------------------------- */

struct lookup {
    const struct texel *level[2]; /* finer, coarser */
    int side[2];
    float between;
};

static struct lookup lookup_at(enum sb_floor floor, float texels)
{
    int k = 0;
    while (texels >= 2.0f && k < LEVELS - 2) {
        texels *= 0.5f;
        k++;
    }
    return (struct lookup){{texture[floor][k], texture[floor][k + 1]}, {SEA_TILE >> k, SEA_TILE >> (k + 1)},
                           sea_clamp(texels - 1.0f, 0.0f, 1.0f)};
}

static inline struct texel fetch(const struct texel *t, int side, float u, float v)
{
    float x = u * (float)side, y = v * (float)side;
    int ix = (int)x, iy = (int)y, mask = side - 1;
    float fx = x - (float)ix, fy = y - (float)iy;
    const struct texel *r0 = t + (iy & mask) * side, *r1 = t + ((iy + 1) & mask) * side;
    const struct texel a = r0[ix & mask], b = r0[(ix + 1) & mask], c = r1[ix & mask], d = r1[(ix + 1) & mask];
    return (struct texel){sea_mix(sea_mix(a.light, b.light, fx), sea_mix(c.light, d.light, fx), fy),
                          sea_mix(sea_mix(a.tone, b.tone, fx), sea_mix(c.tone, d.tone, fx), fy)};
}

static inline struct texel look(const struct lookup *l, float u, float v)
{
    struct texel a = fetch(l->level[0], l->side[0], u, v);
    if (l->between < 0.02f) return a;
    struct texel b = fetch(l->level[1], l->side[1], u, v);
    return (struct texel){sea_mix(a.light, b.light, l->between), sea_mix(a.tone, b.tone, l->between)};
}

/* Where one floor gives way to the next along the track, in metres; the two kinds around x. */
static double border_near(const struct sb_sea *sea, double x, enum sb_floor *left, enum sb_floor *right)
{
    double nearest = 1e9;
    *left = *right = sea->segment[0].ground;
    for (int i = 0; i < sea->segments; i++) {
        double at = sea->segment[i].start * sea->speed;
        if (at <= x) *left = *right = sea->segment[i].ground;
    }
    for (int i = 1; i < sea->segments; i++) {
        double at = sea->segment[i].start * sea->speed;
        if (sea->segment[i].ground == sea->segment[i - 1].ground || fabs(at - x) >= fabs(nearest - x)) continue;
        nearest = at;
        *left = sea->segment[i - 1].ground;
        *right = sea->segment[i].ground;
    }
    return nearest;
}

static inline void ground_colour(const struct sb_sea *sea, enum sb_floor floor, const struct lookup *at, float u,
                                 float v, float own[3])
{
    struct texel t = look(at, u, v);
    const float(*tint)[3] = sea->floor_tint[floor];
    for (int k = 0; k < 3; k++) own[k] = sea_mix(tint[0][k], tint[1][k], t.tone) * t.light;
}

static void floor_row(const struct sb_sea *sea, const struct sea_camera *camera, float *const rgb[3],
                      const float *lamp, int width, float distance)
{
    struct sea_haze haze = sea_haze_at(sea, distance);
    float step = distance / camera->focal;
    double world_z = camera->z + (double)distance;
    enum sb_floor kind[2];
    double border = border_near(sea, camera->x, &kind[0], &kind[1]) - camera->x;
    bool mixed = kind[0] != kind[1];
    float texels = step * TEXELS_A_METRE * sqrtf(sea_clamp(distance / camera->height, 1.0f, 8.0f));
    struct lookup at[2] = {lookup_at(kind[0], texels), lookup_at(kind[1], texels)};
    float c = sea->floor_turn[0], s = sea->floor_turn[1], scale = TEXELS_A_METRE / SEA_TILE;
    double left = camera->x - (double)(camera->centre * step);
    /* Texture coordinates are kept positive and small, so that a float holds them well anywhere along the track. */
    double u0 = (left * (double)c + world_z * (double)s) * (double)scale,
           v0 = (world_z * (double)c - left * (double)s) * (double)scale;
    float u = (float)(u0 - floor(u0)) + 64.0f, v = (float)(v0 - floor(v0)) + 64.0f, du = step * c * scale,
          dv = -step * s * scale;
    for (int x = 0; x < width; x++, u += du, v += dv) {
        float right = 0.0f, own[3];
        if (mixed) {
            float wander = noise[((int)(v * 100.0f) & (SEA_TILE - 1)) * SEA_TILE +
                                 ((int)(u * 100.0f) & (SEA_TILE - 1))] - 0.5f;
            right = sea_clamp(0.5f + 3.0f * (((float)x - camera->centre) * step - (float)border + 1.3f * wander),
                              0.0f, 1.0f);
        }
        ground_colour(sea, kind[right >= 1.0f], &at[right >= 1.0f], u, v, own);
        if (right > 0.0f && right < 1.0f) {
            float other[3];
            ground_colour(sea, kind[1], &at[1], u, v, other);
            for (int k = 0; k < 3; k++) own[k] = sea_mix(own[k], other[k], right);
        }
        float glow = 1.0f + SEA_GLOW * lamp[x];
        for (int k = 0; k < 3; k++)
            rgb[k][x] = own[k] * (haze.ambient[k] + haze.lamp[k] * lamp[x]) + haze.scatter[k] * glow;
    }
}

void sea_floor_rows(const struct sb_sea *sea, const struct sea_camera *camera, const struct sea_band *band)
{
    sea_noise();
    struct sea_haze endless = sea_haze_at(sea, 1000.0f);
    for (int y = band->y0; y < band->y1; y++) {
        size_t at = (size_t)(y - band->y0) * (size_t)band->width;
        float *rgb[3] = {band->rgb[0] + at, band->rgb[1] + at, band->rgb[2] + at};
        const float *lamp = band->lamp + at;
        float below = (float)y + 0.5f - camera->horizon,
              distance = below > 0.01f ? camera->focal * camera->height / below : 1000.0f;
        if (distance < 28.0f) {
            floor_row(sea, camera, rgb, lamp, band->width, distance);
            continue;
        }
        /* Open water, lighter towards the surface. */
        float up = 1.0f + 0.9f * sea_clamp(-below / camera->focal, 0.0f, 2.0f);
        for (int k = 0; k < 3; k++) {
            float veil = endless.scatter[k] * up;
            for (int x = 0; x < band->width; x++) rgb[k][x] = veil * (1.0f + SEA_GLOW * lamp[x]);
        }
    }
}
