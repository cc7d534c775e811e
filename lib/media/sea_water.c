/* Light in water, marine snow, the camera's noise; and a frame put together from its layers, band by band. */

#include "media/sea_inner.h"

#define FLAKES 640

/* ---- light ------------------------------------------------------------------------------------------------------- */

/* How much of the lamps' light arrives, against what does at 3 m. */
static float lamp_reach(float distance) { return 2.0f / (1.0f + distance * distance / 9.0f); }

void sb_sea_attenuate(const struct sb_sea *sea, float metres, float rgb[3])
{
    for (int c = 0; c < 3; c++) rgb[c] *= sea_exp(-sea->water.loss[c] * metres);
}

struct sea_haze sea_haze_at(const struct sb_sea *sea, float distance)
{
    float left[3] = {1, 1, 1}, reach = lamp_reach(distance);
    sb_sea_attenuate(sea, distance, left);
    struct sea_haze h;
    for (int c = 0; c < 3; c++) {
        h.ambient[c] = sea->water.ambient[c] * left[c];
        h.lamp[c] = sea->water.lamp[c] * left[c] * reach;
        h.scatter[c] = sea->water.veil[c] * (1.0f - left[c]);
    }
    return h;
}

/* Two lamps beside the camera: bright in the middle, dark corners. */
void sea_make_lamps(float *out, int width, int height)
{
    float scale = 1.0f / (float)height, half = 0.5f * (float)width;
    for (int y = 0; y < height; y++) {
        float fy = ((float)y + 0.5f) * scale - 0.56f;
        for (int x = 0; x < width; x++) {
            float fx = ((float)x + 0.5f - half) * scale, l = fx + 0.33f, r = fx - 0.33f;
            float a = 1.0f + 3.0f * (l * l + fy * fy), b = 1.0f + 3.0f * (r * r + fy * fy);
            *out++ = 0.72f / (a * a) + 0.72f / (b * b);
        }
    }
}

/* ---- marine snow ------------------------------------------------------------------------------------------------- */

struct flake {
    float x, y, radius, strength, red;
};

static float wrap(double x, double size) { return (float)(x - size * floor(x / size)); }

/* Flakes fill a box of water that moves with the camera; near ones are large, out of focus and faint. */
static int make_snow(const struct sb_sea *sea, const struct sea_camera *camera, double t, struct flake *out)
{
    int n = 0, wanted = (int)((float)FLAKES * sea->water.snow);
    float side = (float)sea->height;
    uint32_t seed = (uint32_t)sea->seed ^ (uint32_t)(sea->seed >> 32);
    for (uint32_t i = 0; i < (uint32_t)wanted; i++) {
        float r[5];
        for (uint32_t k = 0; k < 5; k++) r[k] = sea_chance(seed + i, 200 + k);
        double drift_x = (double)(0.06f * sea_wave((float)t * 0.05f + r[3])), fall = 0.03 + 0.03 * (double)r[3];
        float x = wrap(9.0 * (double)r[0] - camera->x + drift_x, 9.0) - 4.5f;
        float y = wrap(6.0 * (double)r[1] + fall * t + (double)camera->height, 6.0) - 2.6f;
        float z = 0.7f + 4.8f * r[2], per_metre = camera->focal / z;
        struct flake f = {camera->centre + x * per_metre, camera->horizon + y * per_metre, 0, 0, 0};
        float blur = 1.0f / z - 1.0f / 3.0f;
        blur = 0.009f * (blur < 0 ? -blur : blur) * side;
        float own = 0.0048f * (0.4f + r[4]) * per_metre;
        f.radius = own + blur + 0.6f;
        f.strength = 0.9f * (0.4f + 0.6f * r[3]) * (own * own + 0.15f) / (f.radius * f.radius);
        if (f.x < -f.radius || f.x > (float)sea->width + f.radius || f.y < -f.radius || f.y > side + f.radius) continue;
        struct sea_haze haze = sea_haze_at(sea, z);
        f.strength = sea_clamp(f.strength, 0.0f, 0.55f) * (haze.lamp[1] + haze.ambient[1]);
        f.red = (haze.lamp[0] + haze.ambient[0]) / (haze.lamp[1] + haze.ambient[1] + 1e-6f);
        out[n++] = f;
    }
    return n;
}

static void draw_snow(const struct flake *flake, int count, const struct sea_band *band)
{
    for (int k = 0; k < count; k++) {
        const struct flake *f = &flake[k];
        if (f->y + f->radius < (float)band->y0 || f->y - f->radius > (float)band->y1) continue;
        int top = (int)sea_clamp(f->y - f->radius, (float)band->y0, (float)band->y1),
            bottom = (int)sea_clamp(f->y + f->radius + 1.0f, (float)band->y0, (float)band->y1);
        int left = (int)sea_clamp(f->x - f->radius, 0, (float)band->width),
            right = (int)sea_clamp(f->x + f->radius + 1.0f, 0, (float)band->width);
        float inverse = 1.0f / (f->radius * f->radius);
        for (int y = top; y < bottom; y++) {
            size_t at = (size_t)(y - band->y0) * (size_t)band->width;
            float dy = (float)y + 0.5f - f->y;
            for (int x = left; x < right; x++) {
                float dx = (float)x + 0.5f - f->x, d = 1.0f - (dx * dx + dy * dy) * inverse;
                if (d <= 0) continue;
                float add = f->strength * d * d * (0.25f + band->lamp[at + (size_t)x]);
                band->rgb[0][at + (size_t)x] += add * f->red;
                band->rgb[1][at + (size_t)x] += add;
                band->rgb[2][at + (size_t)x] += add * 0.95f;
            }
        }
    }
}

/* ---- the camera -------------------------------------------------------------------------------------------------- */

/* Sums of four uniform numbers, near enough to a normal distribution, of variance 1. */
void sea_make_grain(float *grain, int count, uint32_t seed)
{
    for (int i = 0; i < count; i++) {
        float sum = 0;
        for (uint32_t k = 0; k < 4; k++) sum += sea_chance(seed + (uint32_t)i, 300 + k);
        grain[i] = (sum - 2.0f) * 1.7320508f;
    }
}

/* A row of one channel, linear light to bytes; the square root stands for the display's curve. */
static void expose_row(float *restrict in, const float *restrict grain, float noise, int width, uint8_t *restrict out)
{
    for (int x = 0; x < width; x++) {
        float light = in[x] < 0 ? 0 : in[x];
        /* A shoulder: bright parts keep their shape. */
        light = light * (1.35f + 0.25f * light) / (1.0f + 0.6f * light);
        float value = 255.0f * sqrtf(light) + noise * grain[x] + 0.5f;
        in[x] = value < 0 ? 0 : value > 255.0f ? 255.0f : value;
    }
    for (int x = 0; x < width; x++) out[3 * x] = (uint8_t)(int)in[x];
}

static void expose(const struct sb_sea *sea, const struct sea_band *band, uint32_t frame, uint8_t *rgb)
{
    for (int y = band->y0; y < band->y1; y++) {
        for (uint32_t c = 0; c < 3; c++) {
            uint32_t start = sea_hash(frame * 3u + c + ((uint32_t)y << 12)) % SEA_GRAIN;
            expose_row(band->rgb[c] + (size_t)(y - band->y0) * (size_t)band->width, sea->grain + start,
                       sea->water.noise, band->width, rgb + 3 * (size_t)y * (size_t)band->width + c);
        }
    }
}

/* ---- a frame ----------------------------------------------------------------------------------------------------- */

struct frame {
    struct sea_camera camera;
    struct sea_pose pose[SB_SEA_VISIBLE * 2];
    int poses;
    struct flake flake[FLAKES];
    int flakes;
};

static void gather(const struct sb_sea *sea, double t, struct frame *f)
{
    f->camera = sea_camera_at(sea, t);
    for (size_t i = 0; i < sea->animals && f->poses < SB_SEA_VISIBLE * 2; i++) {
        struct sea_pose *p = &f->pose[f->poses];
        if (t < sea->animal[i].from || t > sea->animal[i].until) continue;
        sea_place(sea, &sea->animal[i], t, p);
        if (p->box[2] < 0 || p->box[3] < 0 || p->box[0] > (float)sea->width || p->box[1] > (float)sea->height) continue;
        f->poses++;
    }
    f->flakes = make_snow(sea, &f->camera, t, f->flake);
}

void sb_sea_render(const struct sb_sea *sea, double t, struct sb_picture *out)
{
    struct frame *f = sb_calloc(1, sizeof *f);
    gather(sea, t, f);
    size_t plane = (size_t)sea->width * SEA_BAND;
    float *memory = sb_malloc(plane * 3 * sizeof *memory);
    uint32_t number = (uint32_t)(int64_t)(t * 1000.0 + 0.5);
    for (int y0 = 0; y0 < sea->height; y0 += SEA_BAND) {
        int y1 = y0 + SEA_BAND < sea->height ? y0 + SEA_BAND : sea->height;
        struct sea_band band = {sea->width, y0, y1, {memory, memory + plane, memory + 2 * plane},
                                sea->lamps + (size_t)y0 * (size_t)sea->width};
        sea_floor_rows(sea, &f->camera, &band);
        float done = 1e9f;
        for (int k = 0; k < f->poses; k++) {
            const struct sea_pose *next = NULL;
            for (int i = 0; i < f->poses; i++)
                if (f->pose[i].distance < done && (!next || f->pose[i].distance > next->distance)) next = &f->pose[i];
            if (!next) break;
            struct sea_haze haze = sea_haze_at(sea, next->distance);
            sea_draw_pose(next, &haze, &band);
            done = next->distance;
        }
        draw_snow(f->flake, f->flakes, &band);
        expose(sea, &band, number, out->rgb);
    }
    free(memory);
    free(f);
}
