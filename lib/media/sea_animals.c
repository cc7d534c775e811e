/* The animals: each is posed as bands in its own coordinates (about one unit long, x ahead, y down, the origin at its
 * centre or at its foot) and then placed in the frame. */
#include "media/sea_inner.h"

const float sea_rgb[SB_COLOURS][3] = {
    [SB_ORANGE] = {1.00f, 0.30f, 0.02f}, [SB_BLUE] = {0.03f, 0.17f, 0.90f},   [SB_WHITE] = {0.85f, 0.85f, 0.80f},
    [SB_RED] = {0.80f, 0.03f, 0.03f},    [SB_YELLOW] = {1.00f, 0.78f, 0.05f}, [SB_PURPLE] = {0.66f, 0.05f, 0.60f},
    [SB_GREY] = {0.22f, 0.24f, 0.26f},
};

bool sea_on_floor(enum sb_animal kind)
{
    return kind == SB_SEA_STAR || kind == SB_CRAB || kind == SB_SEA_CUCUMBER || kind == SB_ANEMONE;
}

/* ---- building blocks --------------------------------------------------------------------------------------------- */

struct maker {
    struct sea_pose *pose;
    const struct sea_animal *animal;
    float colour[3], mark[3];
    float time, phase;
};

static void tint(float out[3], const float in[3], float by)
{
    for (int c = 0; c < 3; c++) out[c] = in[c] * by;
}

static void toward(float out[3], const float in[3], float white, float t)
{
    for (int c = 0; c < 3; c++) out[c] = sea_mix(in[c], white, t);
}

/* A band of n points along a bent line from (x0,y0) over (cx,cy) to (x1,y1), its half widths read off `w`. */
static struct sea_part *bend(struct maker *m, int n, const float p[6], const float *w, int widths)
{
    struct sea_part *s = &m->pose->part[m->pose->parts++];
    memset(s, 0, sizeof *s);
    s->points = n;
    for (int i = 0; i < n; i++) {
        float t = (float)i / (float)(n - 1), q = 1.0f - t;
        s->x[i] = q * q * p[0] + 2 * q * t * p[2] + t * t * p[4];
        s->y[i] = q * q * p[1] + 2 * q * t * p[3] + t * t * p[5];
        float f = t * (float)(widths - 1);
        int k = (int)f < widths - 1 ? (int)f : widths - 2;
        s->w[i] = sea_mix(w[k], w[k + 1], f - (float)k);
    }
    tint(s->base, m->colour, 1.0f);
    tint(s->belly, m->colour, 0.7f);
    tint(s->mark, m->mark, 1.0f);
    s->pitch = 0.12f;
    s->alpha = 1.0f;
    s->round = 0.9f;
    s->soft = 1.0f;
    s->texture = 0.25f;
    return s;
}

static struct sea_part *ellipse(struct maker *m, float x, float y, float rx, float ry)
{
    static const float w[] = {0, 0.436f, 0.6f, 0.8f, 0.917f, 0.98f, 1, 0.98f, 0.917f, 0.8f, 0.6f, 0.436f, 0};
    static const float at[] = {-1, -0.9f, -0.8f, -0.6f, -0.4f, -0.2f, 0, 0.2f, 0.4f, 0.6f, 0.8f, 0.9f, 1};
    const float line[6] = {x - rx, y, x, y, x + rx, y};
    struct sea_part *s = bend(m, 13, line, w, 13);
    for (int i = 0; i < 13; i++) {
        s->x[i] = x + rx * at[i];
        s->w[i] = w[i] * ry;
    }
    return s;
}

static void set_colour(struct sea_part *s, float r, float g, float b)
{
    const float c[3] = {r, g, b};
    memcpy(s->base, c, sizeof c);
    memcpy(s->belly, c, sizeof c);
    s->texture = 0;
}

static void eye(struct maker *m, float x, float y, float r)
{
    set_colour(ellipse(m, x, y, r, r), 0.8f, 0.8f, 0.7f);
    set_colour(ellipse(m, x, y, r * 0.62f, r * 0.62f), 0.01f, 0.01f, 0.015f);
}

/* Sways the points of a part sideways, more towards its end: `waves` along it, `rate` turns a second. */
static void sway(struct sea_part *s, const struct maker *m, float reach, float waves, float rate, float phase)
{
    for (int i = 1; i < s->points; i++) {
        float t = (float)i / (float)(s->points - 1);
        float dx = s->x[i] - s->x[i - 1], dy = s->y[i] - s->y[i - 1], n = sqrtf(dx * dx + dy * dy) + 1e-6f;
        float by = reach * t * sea_wave(waves * t - rate * m->time + phase + m->phase);
        s->x[i] += -dy / n * by;
        s->y[i] += dx / n * by;
    }
}

static void fin(struct sea_part *s, const struct maker *m, float shade)
{
    tint(s->base, m->colour, shade);
    tint(s->belly, m->colour, shade);
    s->round = 0.15f;
    s->alpha = 0.92f;
    s->texture = 0.5f;
}

/* ---- swimmers ---------------------------------------------------------------------------------------------------- */

static void fish(struct maker *m)
{
    static const float body[] = {0.012f, 0.085f, 0.135f, 0.170f, 0.192f, 0.203f, 0.205f, 0.198f, 0.182f, 0.158f,
                                 0.125f, 0.09f, 0.058f, 0.042f, 0.04f};
    static const float lobe[] = {0.035f, 0.06f, 0.055f, 0.035f, 0.006f};
    static const float ridge[] = {0.01f, 0.06f, 0.075f, 0.07f, 0.055f, 0.02f};
    static const float paddle[] = {0.02f, 0.05f, 0.055f, 0.03f, 0.004f};
    float beat = sea_wave(1.6f * m->time + m->phase), reach = 0.17f + 0.05f * beat;
    for (int k = -1; k <= 1; k += 2) {
        float up = (float)k;
        const float line[6] = {-0.30f, 0.0f, -0.36f, 0.10f * up, -0.33f - reach, 0.20f * up + 0.02f * beat};
        fin(bend(m, 8, line, lobe, 5), m, 0.8f);
    }
    const float back[6] = {0.16f, -0.17f, -0.05f, -0.25f, -0.24f, -0.11f};
    fin(bend(m, 10, back, ridge, 6), m, 0.75f);
    const float vent[6] = {0.0f, 0.18f, -0.12f, 0.22f, -0.24f, 0.10f};
    fin(bend(m, 8, vent, ridge, 6), m, 0.75f);
    const float spine[6] = {0.5f, 0.015f, 0.1f, -0.015f, -0.34f, 0.012f * beat};
    struct sea_part *s = bend(m, 18, spine, body, 15);
    toward(s->belly, m->colour, 0.75f, 0.45f);
    s->pattern = m->animal->pattern;
    s->pitch = s->pattern == SEA_SPOTS ? 0.105f : 0.23f;
    const float arm[6] = {0.12f, 0.05f, 0.04f, 0.08f, -0.02f, 0.10f + 0.05f * beat};
    fin(bend(m, 6, arm, paddle, 5), m, 0.6f);
    eye(m, 0.355f, -0.045f, 0.036f);
}

static void shark(struct maker *m)
{
    static const float body[] = {0.008f, 0.04f, 0.062f, 0.077f, 0.086f, 0.09f, 0.089f, 0.083f, 0.074f, 0.062f, 0.049f,
                                 0.037f, 0.026f, 0.019f, 0.016f};
    static const float blade[] = {0.075f, 0.052f, 0.034f, 0.018f, 0.003f};
    static const float small[] = {0.03f, 0.018f, 0.002f};
    static const float tail[] = {0.022f, 0.04f, 0.03f, 0.016f, 0.004f};
    float beat = sea_wave(0.7f * m->time + m->phase), back = 0.03f * beat;
    const float upper[6] = {-0.36f, back, -0.42f, -0.06f, -0.53f + 0.02f * beat, -0.20f};
    fin(bend(m, 8, upper, tail, 5), m, 0.85f);
    const float lower[6] = {-0.37f, back, -0.41f, 0.05f, -0.46f + 0.02f * beat, 0.12f};
    fin(bend(m, 6, lower, tail, 5), m, 0.85f);
    const float far[6] = {0.14f, 0.05f, 0.10f, 0.10f, 0.04f, 0.15f};
    fin(bend(m, 6, far, blade, 5), m, 0.5f);
    const float dorsal[6] = {0.05f, -0.05f, 0.02f, -0.13f, -0.05f, -0.21f};
    fin(bend(m, 8, dorsal, blade, 5), m, 0.9f);
    const float second[6] = {-0.22f, -0.03f, -0.24f, -0.06f, -0.27f, -0.085f};
    fin(bend(m, 5, second, small, 3), m, 0.85f);
    const float anal[6] = {-0.20f, 0.04f, -0.22f, 0.06f, -0.25f, 0.085f};
    fin(bend(m, 5, anal, small, 3), m, 0.85f);
    const float spine[6] = {0.5f, 0.0f, 0.1f, 0.0f, -0.38f, back};
    struct sea_part *s = bend(m, 18, spine, body, 15);
    toward(s->belly, m->colour, 0.95f, 0.85f);
    s->pattern = m->animal->pattern == SEA_SPOTS ? SEA_SPOTS : SEA_PLAIN;
    s->pitch = 0.06f;
    for (int k = 0; k < 4; k++) {
        float x = 0.235f - 0.022f * (float)k;
        static const float slit[] = {0.003f, 0.005f, 0.003f};
        const float line[6] = {x, -0.03f, x - 0.012f, 0.0f, x, 0.035f};
        set_colour(bend(m, 4, line, slit, 3), 0.03f, 0.03f, 0.04f);
    }
    const float near[6] = {0.13f, 0.055f, 0.07f, 0.12f, -0.03f, 0.21f + 0.01f * beat};
    fin(bend(m, 7, near, blade, 5), m, 0.95f);
    set_colour(ellipse(m, 0.39f, -0.012f, 0.013f, 0.013f), 0.01f, 0.01f, 0.01f);
}

static void jellyfish(struct maker *m)
{
    static const float thread[] = {0.009f, 0.007f, 0.004f};
    static const float frill[] = {0.02f, 0.035f, 0.028f, 0.034f, 0.02f, 0.006f};
    float pulse = sea_wave(0.55f * m->time + m->phase), r = 0.27f + 0.035f * pulse, top = -0.46f - 0.02f * pulse,
          rim = -0.14f;
    for (int k = 0; k < 11; k++) {
        float f = (float)k / 5.0f - 1.0f, x = f * r * 0.95f;
        const float line[6] = {x, rim - 0.02f, x * 1.15f, 0.15f, x * 0.9f,
                               0.36f + 0.14f * sea_chance(m->animal->seed, (uint32_t)k)};
        struct sea_part *s = bend(m, 14, line, thread, 3);
        sway(s, m, 0.05f, 1.3f, 0.5f, (float)k * 0.13f);
        toward(s->base, m->colour, 0.9f, 0.3f);
        s->alpha = 0.75f;
    }
    for (int k = 0; k < 4; k++) {
        float x = ((float)k - 1.5f) * 0.075f;
        const float line[6] = {x * 0.6f, rim - 0.08f, x, 0.05f, x * 1.6f, 0.24f};
        struct sea_part *s = bend(m, 16, line, frill, 6);
        sway(s, m, 0.06f, 1.8f, 0.5f, (float)k * 0.21f);
        toward(s->base, m->colour, 0.9f, 0.35f);
        s->alpha = 0.7f;
    }
    float dome[13];
    for (int i = 0; i < 13; i++) {
        float t = 1.0f - (float)i / 12.0f;
        dome[i] = r * sqrtf(1.0f - t * t * t);
    }
    const float line[6] = {0, top, 0, (top + rim) / 2, 0, rim};
    struct sea_part *bell = bend(m, 17, line, dome, 13);
    toward(bell->base, m->colour, 0.9f, 0.15f);
    memcpy(bell->belly, bell->base, sizeof bell->base);
    bell->alpha = 0.92f;
    bell->rim = 0.38f;
    bell->round = 0.5f;
    bell->pattern = m->animal->pattern == SEA_LINES ? SEA_LINES : SEA_PLAIN;
    for (int k = 0; k < 4; k++) {
        struct sea_part *s = ellipse(m, ((float)k - 1.5f) * 0.095f, -0.30f + (k == 0 || k == 3 ? 0.03f : -0.02f),
                                     0.042f, 0.035f);
        toward(s->base, m->colour, 1.0f, 0.55f);
        s->alpha = 0.55f;
    }
    struct sea_part *edge = ellipse(m, 0, rim, r, 0.035f);
    tint(edge->base, m->colour, 0.8f);
    edge->alpha = 0.6f;
}

static void squid(struct maker *m)
{
    static const float mantle[] = {0.004f, 0.045f, 0.075f, 0.097f, 0.111f, 0.118f, 0.12f, 0.117f, 0.108f, 0.098f};
    static const float wing[] = {0.0f, 0.10f, 0.17f, 0.185f, 0.13f, 0.06f, 0.0f};
    static const float head[] = {0.07f, 0.084f, 0.08f, 0.066f};
    static const float arm[] = {0.024f, 0.019f, 0.013f, 0.005f};
    static const float club[] = {0.011f, 0.009f, 0.008f, 0.009f, 0.024f, 0.022f, 0.004f};
    float beat = sea_wave(0.8f * m->time + m->phase);
    const float wings[6] = {0.5f, 0, 0.35f, 0, 0.19f, 0};
    float flap[7];
    for (int i = 0; i < 7; i++) flap[i] = wing[i] * (0.92f + 0.12f * beat);
    fin(bend(m, 13, wings, flap, 7), m, 0.85f);
    for (int k = 0; k < 8; k++) {
        float f = ((float)k - 3.5f) / 3.5f;
        const float line[6] = {-0.14f, f * 0.05f, -0.25f, f * (0.11f + 0.02f * beat), -0.39f - 0.04f * (float)(k & 1),
                               f * (0.13f + 0.05f * beat)};
        struct sea_part *s = bend(m, 11, line, arm, 4);
        sway(s, m, 0.025f, 1.0f, 0.7f, (float)k * 0.17f);
        tint(s->base, m->colour, 0.85f + 0.1f * (float)(k & 1));
    }
    for (int k = -1; k <= 1; k += 2) {
        const float line[6] = {-0.14f, 0.015f * (float)k, -0.32f, 0.05f * (float)k, -0.53f, 0.03f * (float)k};
        sway(bend(m, 14, line, club, 7), m, 0.035f, 1.2f, 0.6f, (float)k * 0.2f);
    }
    const float neck[6] = {0.02f, 0, -0.07f, 0, -0.16f, 0};
    bend(m, 8, neck, head, 4);
    const float spine[6] = {0.5f, 0, 0.2f, 0, -0.02f, 0};
    struct sea_part *s = bend(m, 16, spine, mantle, 10);
    s->pattern = m->animal->pattern == SEA_SPOTS ? SEA_SPOTS : SEA_PLAIN;
    s->pitch = 0.055f;
    s->texture = 0.4f;
    toward(s->belly, m->colour, 0.8f, 0.35f);
    eye(m, -0.075f, -0.012f, 0.042f);
}

/* ---- on the floor ------------------------------------------------------------------------------------------------ */

static void shadow(struct maker *m, float rx, float ry)
{
    struct sea_part *s = ellipse(m, 0, 0.0f, rx, ry);
    s->shadow = true;
    s->alpha = 0.75f;
}

/* Seen from above at a slant: y of the animal's own plane is foreshortened. */
static void star(struct maker *m)
{
    static const float arm[] = {0.118f, 0.108f, 0.096f, 0.084f, 0.072f, 0.06f, 0.048f, 0.034f, 0.0f};
    const float slant = 0.66f;
    shadow(m, 0.50f, 0.33f);
    float turn = sea_chance(m->animal->seed, 7), down = 0.02f;
    for (int k = 0; k < 5; k++) {
        int order[5] = {0, 1, 4, 2, 3};
        float a = turn * 0.2f - 0.25f + 0.2f * (float)order[k],
              curl = 0.04f * sea_wave(0.06f * m->time + 0.3f * (float)k + m->phase);
        float c = sea_wave(a + 0.25f), s = sea_wave(a), c1 = sea_wave(a + curl + 0.25f), s1 = sea_wave(a + curl);
        const float line[6] = {0, -down, 0.27f * c, 0.27f * s * slant - down, 0.5f * c1, 0.5f * s1 * slant};
        struct sea_part *p = bend(m, 14, line, arm, 9);
        float squeeze = slant / sqrtf(c * c + s * s * slant * slant);
        for (int i = 0; i < p->points; i++) p->w[i] *= sea_mix(squeeze, 1.0f, 0.35f);
        tint(p->belly, m->colour, 0.45f);
        p->pattern = m->animal->pattern == SEA_SPOTS ? SEA_SPOTS : SEA_PLAIN;
        p->pitch = 0.058f;
        p->texture = 0.4f;
        static const float crest[] = {0.016f, 0.014f, 0.01f, 0.004f};
        struct sea_part *ridge = bend(m, 12, line, crest, 4);
        toward(ridge->base, m->colour, 1.0f, 0.25f);
        ridge->alpha = 0.7f;
    }
    struct sea_part *disc = ellipse(m, 0, -0.03f, 0.125f, 0.1f);
    disc->texture = 0.4f;
    disc->pattern = m->animal->pattern == SEA_SPOTS ? SEA_SPOTS : SEA_PLAIN;
    disc->pitch = 0.058f;
}

static void crab_leg(struct maker *m, int k, float side)
{
    static const float thigh[] = {0.026f, 0.03f, 0.022f}, shin[] = {0.021f, 0.014f, 0.003f};
    float step = 0.025f * sea_wave(0.9f * m->time + 0.27f * (float)k + (side > 0 ? 0.5f : 0.0f) + m->phase);
    float out = 0.33f + 0.055f * (float)k, y = -0.17f + 0.03f * (float)k;
    float kx = side * (out - 0.02f), ky = -0.30f + 0.075f * (float)k + step;
    float fx = side * (out + 0.09f + step), fy = -0.02f + 0.02f * (float)k + (step > 0 ? -step * 0.8f : 0.0f);
    const float upper[6] = {side * 0.17f, y, side * 0.25f, ky - 0.03f, kx, ky},
                lower[6] = {kx, ky, side * (out + 0.06f), ky + 0.06f, fx, fy};
    tint(bend(m, 7, upper, thigh, 3)->base, m->colour, 0.8f);
    tint(bend(m, 7, lower, shin, 3)->base, m->colour, 0.7f);
}

static void crab_claw(struct maker *m, float side)
{
    static const float upper[] = {0.03f, 0.036f, 0.03f}, palm[] = {0.03f, 0.068f, 0.078f, 0.064f, 0.045f};
    static const float finger[] = {0.034f, 0.03f, 0.02f, 0.003f};
    float open = 0.5f + 0.5f * sea_wave(0.35f * m->time + (side > 0 ? 0.2f : 0.0f) + m->phase);
    const float arm[6] = {side * 0.15f, -0.12f, side * 0.30f, -0.06f, side * 0.27f, -0.18f};
    bend(m, 8, arm, upper, 3);
    const float hand[6] = {side * 0.275f, -0.17f, side * 0.29f, -0.24f, side * 0.235f, -0.31f};
    struct sea_part *p = bend(m, 9, hand, palm, 5);
    p->texture = 0.35f;
    float spread = 0.02f + 0.035f * open;
    const float outer[6] = {side * 0.255f, -0.30f, side * (0.26f + spread), -0.37f, side * (0.16f + spread), -0.43f};
    const float inner[6] = {side * 0.215f, -0.29f, side * 0.175f, -0.33f, side * (0.145f - spread), -0.39f};
    toward(bend(m, 7, outer, finger, 4)->base, m->colour, 0.9f, 0.15f);
    toward(bend(m, 7, inner, finger, 4)->base, m->colour, 0.9f, 0.15f);
}

static void crab(struct maker *m)
{
    shadow(m, 0.42f, 0.1f);
    for (int k = 3; k >= 0; k--) {
        crab_leg(m, k, -1.0f);
        crab_leg(m, k, 1.0f);
    }
    static const float shell[] = {0.0f, 0.052f, 0.083f, 0.106f, 0.121f, 0.128f, 0.13f, 0.128f, 0.121f, 0.106f, 0.083f,
                                  0.052f, 0.0f};
    const float line[6] = {-0.235f, -0.175f, 0, -0.165f, 0.235f, -0.175f};
    struct sea_part *p = bend(m, 17, line, shell, 13);
    tint(p->belly, m->colour, 0.5f);
    p->texture = 0.4f;
    p->pattern = m->animal->pattern == SEA_SPOTS ? SEA_SPOTS : SEA_PLAIN;
    p->pitch = 0.075f;
    static const float stalk[] = {0.014f, 0.012f};
    for (int k = -1; k <= 1; k += 2) {
        float s = (float)k;
        const float up[6] = {s * 0.055f, -0.27f, s * 0.06f, -0.3f, s * 0.065f, -0.33f};
        bend(m, 4, up, stalk, 2);
        eye(m, s * 0.065f, -0.34f, 0.024f);
    }
    crab_claw(m, -1.0f);
    crab_claw(m, 1.0f);
}

static void cucumber(struct maker *m)
{
    static const float spike[] = {0.02f, 0.012f, 0.002f}, frond[] = {0.016f, 0.014f, 0.013f, 0.005f};
    float body[14];
    static const float shape[14] = {0.045f, 0.085f, 0.108f, 0.12f, 0.126f, 0.13f, 0.131f, 0.13f, 0.127f, 0.121f,
                                    0.112f, 0.096f, 0.07f, 0.0f};
    for (int i = 0; i < 14; i++)
        body[i] = shape[i] * (1.0f + 0.07f * sea_wave(0.16f * (float)i - 0.22f * m->time + m->phase));
    shadow(m, 0.47f, 0.08f);
    float arch = -0.16f - 0.05f * sea_chance(m->animal->seed, 3);
    const float line[6] = {0.40f, -0.12f, 0.0f, arch, -0.48f, -0.11f};
    for (int k = 0; k < 12; k++) {
        float t = 0.08f + 0.075f * (float)k, q = 1 - t;
        float x = q * q * line[0] + 2 * q * t * line[2] + t * t * line[4],
              y = q * q * line[1] + 2 * q * t * line[3] + t * t * line[5];
        float r = shape[(int)(t * 13.0f)], lean = 0.02f * sea_wave(0.3f * m->time + 0.3f * (float)k);
        const float up[6] = {x, y - r * 0.7f, x, y - r, x + lean - 0.01f, y - r - 0.055f};
        toward(bend(m, 5, up, spike, 3)->base, m->mark, 0.9f, 0.2f);
    }
    for (int k = 0; k < 7; k++) {
        float a = ((float)k - 3.0f) / 3.0f, wag = 0.02f * sea_wave(0.4f * m->time + 0.2f * (float)k);
        const float out[6] = {0.385f, -0.12f + 0.03f * a, 0.45f, -0.12f + 0.05f * a, 0.49f - 0.03f * a * a,
                              -0.12f + 0.11f * a + wag};
        toward(bend(m, 7, out, frond, 4)->base, m->mark, 0.9f, 0.35f);
    }
    struct sea_part *p = bend(m, 18, line, body, 14);
    tint(p->belly, m->colour, 0.5f);
    p->texture = 0.5f;
    p->pattern = m->animal->pattern == SEA_PLAIN ? SEA_PLAIN : SEA_SPOTS;
    p->pitch = 0.07f;
    for (int k = 0; k < 10; k++) {
        float x = 0.31f - 0.075f * (float)k, y = -0.155f + (k & 1 ? 0.05f : 0.0f);
        const float up[6] = {x, y + 0.01f, x, y, x - 0.012f, y - 0.045f};
        toward(bend(m, 4, up, spike, 3)->base, m->mark, 0.9f, 0.25f);
    }
}

static void tentacles(struct maker *m, int count, float rx, float y, float high, float wide, int salt)
{
    static const float finger[] = {0.022f, 0.023f, 0.021f, 0.02f, 0.022f, 0.018f, 0.0f};
    for (int k = 0; k < count; k++) {
        float f = 2.0f * ((float)k + 0.5f) / (float)count - 1.0f, g = sea_chance(m->animal->seed, (uint32_t)(k + salt));
        float tip = high * (0.7f + 0.45f * g) * (1.0f - 0.55f * f * f);
        const float line[6] = {f * rx, y, f * (rx + 0.06f), y - tip * 0.75f, f * wide + 0.06f * (g - 0.5f), y - tip};
        struct sea_part *s = bend(m, 12, line, finger, 7);
        sway(s, m, 0.035f, 0.6f, 0.32f, 0.35f * f + 0.2f * g);
        tint(s->base, m->colour, 0.75f + 0.35f * g);
        tint(s->belly, m->colour, 0.55f);
        s->texture = 0.1f;
        int last = s->points - 1;
        const float end[2] = {s->x[last], s->y[last]};
        struct sea_part *bulb = ellipse(m, end[0], end[1], 0.02f, 0.02f);
        tint(bulb->base, m->mark, 1.0f);
        bulb->texture = 0;
    }
}

static void anemone(struct maker *m)
{
    static const float column[] = {0.165f, 0.15f, 0.14f, 0.145f, 0.17f, 0.2f, 0.16f};
    shadow(m, 0.30f, 0.085f);
    tentacles(m, 14, 0.16f, -0.2f, 0.46f, 0.44f, 0);
    const float stem[6] = {0, -0.2f, 0, -0.1f, 0, 0.03f};
    struct sea_part *s = bend(m, 13, stem, column, 7);
    tint(s->base, m->colour, 0.6f);
    tint(s->belly, m->colour, 0.45f);
    s->pattern = m->animal->pattern == SEA_PLAIN ? SEA_PLAIN : SEA_LINES;
    s->texture = 0.35f;
    struct sea_part *mouth = ellipse(m, 0, -0.2f, 0.175f, 0.055f);
    tint(mouth->base, m->colour, 0.8f);
    tentacles(m, 13, 0.15f, -0.18f, 0.22f, 0.42f, 40);
}

/* ---- placing ----------------------------------------------------------------------------------------------------- */

static void finish_part(struct sea_part *p)
{
    int n = p->points;
    p->along[0] = 0;
    for (int i = 0; i < n; i++) {
        int before = i ? i - 1 : 0, after = i < n - 1 ? i + 1 : n - 1;
        float dx = p->x[after] - p->x[before], dy = p->y[after] - p->y[before], d = sqrtf(dx * dx + dy * dy);
        p->tx[i] = d > 1e-6f ? dx / d : 1.0f;
        p->ty[i] = d > 1e-6f ? dy / d : 0.0f;
        if (i) {
            float sx = p->x[i] - p->x[i - 1], sy = p->y[i] - p->y[i - 1];
            p->along[i] = p->along[i - 1] + sqrtf(sx * sx + sy * sy);
        }
    }
    p->box[0] = p->box[1] = 1e9f;
    p->box[2] = p->box[3] = -1e9f;
    for (int i = 0; i < n; i++) {
        float rx = p->w[i] * (p->ty[i] < 0 ? -p->ty[i] : p->ty[i]),
              ry = p->w[i] * (p->tx[i] < 0 ? -p->tx[i] : p->tx[i]);
        p->box[0] = p->x[i] - rx < p->box[0] ? p->x[i] - rx : p->box[0];
        p->box[1] = p->y[i] - ry < p->box[1] ? p->y[i] - ry : p->box[1];
        p->box[2] = p->x[i] + rx > p->box[2] ? p->x[i] + rx : p->box[2];
        p->box[3] = p->y[i] + ry > p->box[3] ? p->y[i] + ry : p->box[3];
    }
}

static void place_part(struct sea_part *p, const struct sea_animal *a, float x, float y, float scale)
{
    float c = sea_wave(a->tilt + 0.25f), s = sea_wave(a->tilt);
    for (int i = 0; i < p->points; i++) {
        float px = p->x[i] * c - p->y[i] * s, py = p->x[i] * s + p->y[i] * c;
        p->x[i] = x + px * scale * a->facing;
        p->y[i] = y + py * scale;
        p->w[i] *= scale;
    }
    p->pitch *= scale;
    p->grain = 150.0f / scale;
    finish_part(p);
}

void sea_pose_animal(const struct sea_animal *a, double t, float x, float y, float scale, struct sea_pose *pose)
{
    static void (*const make[SB_ANIMALS])(struct maker *) = {
        [SB_FISH] = fish, [SB_SHARK] = shark, [SB_JELLYFISH] = jellyfish,    [SB_SQUID] = squid,
        [SB_SEA_STAR] = star, [SB_CRAB] = crab, [SB_SEA_CUCUMBER] = cucumber, [SB_ANEMONE] = anemone,
    };
    struct maker m = {pose, a, {0}, {0}, (float)t, a->phase};
    float bright = 0.85f + 0.3f * sea_chance(a->seed, 1);
    tint(m.colour, sea_rgb[a->colour], bright);
    tint(m.mark, sea_rgb[a->mark], bright);
    pose->parts = 0;
    make[a->kind](&m);
    pose->scale = scale;
    pose->distance = a->distance;
    pose->box[0] = pose->box[1] = 1e9f;
    pose->box[2] = pose->box[3] = -1e9f;
    for (int k = 0; k < pose->parts; k++) {
        struct sea_part *p = &pose->part[k];
        place_part(p, a, x, y, scale);
        if (p->shadow) continue;
        for (int i = 0; i < 2; i++) {
            pose->box[i] = p->box[i] < pose->box[i] ? p->box[i] : pose->box[i];
            pose->box[i + 2] = p->box[i + 2] > pose->box[i + 2] ? p->box[i + 2] : pose->box[i + 2];
        }
    }
}
