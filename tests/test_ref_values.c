/* Rung 1, the rest: what the reference computes against numbers and formulas that stand here or elsewhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/philox.h"
#include "kernels/ops.h"

static const struct sb_ops *const ops = &sb_ops_ref;
static struct sb_dev *dev;

#define COUNT(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define OVER(memory, type, ...) ((struct sb_tensor){type, COUNT(__VA_ARGS__), {__VA_ARGS__}, memory})
#define F32(memory, ...) &OVER(memory, SB_F32, __VA_ARGS__)
#define F64(memory, ...) &OVER(memory, SB_F64, __VA_ARGS__)
#define I32(memory, ...) &OVER(memory, SB_I32, __VA_ARGS__)
#define U8(memory, ...) &OVER(memory, SB_U8, __VA_ARGS__)

static void assert_near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance)) fail_msg("%.12g is not %.12g", a, b);
}

static void assert_all_near(const float *a, const float *b, int n, double tolerance)
{
    for (int i = 0; i < n; i++) {
        if (!(fabs((double)a[i] - b[i]) <= tolerance))
            fail_msg("[%d] is %.9g, wanted %.9g", i, (double)a[i], (double)b[i]);
    }
}

/* ---- chance ------------------------------------------------------------------------------------------------------ */

/* The known answers of Random123, kat_vectors, philox4x32 10. */
static void test_philox(void **state)
{
    (void)state;
    struct sb_philox zero = sb_philox(0, 0, 0, 0, 0);
    assert_memory_equal(zero.w, ((uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}), 16);
    struct sb_philox ones = sb_philox(UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX);
    assert_memory_equal(ones.w, ((uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}), 16);
    struct sb_philox pi = sb_philox(0x299f31d0a4093822, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344);
    assert_memory_equal(pi.w, ((uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}), 16);
}

#define SAMPLES 40
#define ELEMENTS 50

static void test_dropout_follows_the_convention(void **state)
{
    (void)state;
    static float x[SAMPLES * ELEMENTS], y[SAMPLES * ELEMENTS];
    uint32_t words[] = {123, 456, 9, 1000};
    struct sb_chance c = {words, 3, 0.25f};
    int dropped = 0;
    for (int i = 0; i < SAMPLES * ELEMENTS; i++) x[i] = (float)i + 1;
    ops->dropout(dev, F32(x, SAMPLES, ELEMENTS), c, F32(y, SAMPLES, ELEMENTS));
    for (uint32_t s = 0; s < SAMPLES; s++) {
        for (uint32_t e = 0; e < ELEMENTS; e++) {
            uint32_t word = sb_philox(456ull << 32 | 123, 9, 3, 1000 + s, e / 4).w[e % 4];
            bool drop = (word >> 8) * 0x1p-24 < 0.25;
            assert_near(y[s * ELEMENTS + e], drop ? 0 : x[s * ELEMENTS + e] / 0.75, 1e-3);
            dropped += drop;
        }
    }
    assert_in_range(dropped, SAMPLES * ELEMENTS / 5, SAMPLES * ELEMENTS * 3 / 10);
}

static void test_masks_do_not_depend_on_the_micro_batch(void **state)
{
    (void)state;
    float x[4 * ELEMENTS], whole[4 * ELEMENTS], part[4 * ELEMENTS];
    uint32_t first[] = {1, 2, 3, 0}, second[] = {1, 2, 3, 3};
    for (int i = 0; i < 4 * ELEMENTS; i++) x[i] = 1;
    ops->dropout(dev, F32(x, 4, ELEMENTS), (struct sb_chance){first, 8, 0.5f}, F32(whole, 4, ELEMENTS));
    ops->dropout(dev, F32(x, 3, ELEMENTS), (struct sb_chance){first, 8, 0.5f}, F32(part, 3, ELEMENTS));
    ops->dropout(dev, F32(x, 1, ELEMENTS), (struct sb_chance){second, 8, 0.5f}, F32(part + 3 * ELEMENTS, 1, ELEMENTS));
    assert_memory_equal(whole, part, sizeof whole);
}

/* A dropped sample passes nothing on and nothing back; a kept one 1 / (1 - p). */
static void test_drop_path_takes_whole_samples(void **state)
{
    (void)state;
    float x[SAMPLES * 6], r[SAMPLES * 6], y[SAMPLES * 6], dx[SAMPLES * 6], gain[] = {2, 2}, dgain[] = {0, 0};
    uint32_t words[] = {5, 0, 1, 7};
    struct sb_chance c = {words, 2, 0.5f};
    int dropped = 0;
    for (int i = 0; i < SAMPLES * 6; i++) x[i] = 1, r[i] = 100;
    ops->scale_add(dev, F32(r, SAMPLES, 3, 2), F32(x, SAMPLES, 3, 2), F32(gain, 2), c, F32(y, SAMPLES, 3, 2));
    ops->scale_add_bwd(dev, F32(x, SAMPLES, 3, 2), F32(gain, 2), c, F32(x, SAMPLES, 3, 2), F32(dx, SAMPLES, 3, 2),
                       F32(dgain, 2));
    for (uint32_t s = 0; s < SAMPLES; s++) {
        bool drop = sb_philox_uniform(sb_philox(5, 1, 2, 7 + s, 0).w[0]) < 0.5f;
        dropped += drop;
        for (int i = 0; i < 6; i++) {
            assert_near(y[s * 6 + (uint32_t)i], drop ? 100 : 104, 0);
            assert_near(dx[s * 6 + (uint32_t)i], drop ? 0 : 4, 0);
        }
    }
    assert_in_range(dropped, SAMPLES / 4, SAMPLES * 3 / 4);
    assert_near(dgain[0], 3 * 2 * (SAMPLES - dropped), 0);
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

static void test_linear_and_gelu_values(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, -1, 0, 1}, w[] = {1, 0, 1, -1, 2, 0}, b[] = {0.5f, -1}, y[4], one[] = {1, -2};
    ops->linear(dev, F32(x, 2, 3), F32(w, 2, 3), NULL, F32(b, 2), SB_ACT_NONE, NULL, NULL, F32(y, 2, 2));
    assert_all_near(y, (float[]){4.5f, 2, 0.5f, 0}, 4, 0);
    ops->linear(dev, F32(x, 2, 3), F32(w, 2, 3), NULL, F32(b, 2), SB_ACT_RELU, F32(y, 2, 2), NULL, F32(y, 2, 2));
    assert_all_near(y, (float[]){9, 4, 1, 0}, 4, 0);
    ops->gelu(dev, SB_ACT_GELU, F32(one, 2), F32(y, 2));
    assert_all_near(y, (float[]){0.8413447461f, -0.0455002639f}, 2, 1e-7);
    ops->gelu(dev, SB_ACT_GELU_TANH, F32(one, 2), F32(y, 2));
    assert_all_near(y, (float[]){0.8411919906f, -0.0454022744f}, 2, 1e-7);
}

static void test_norm_values(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, 4}, gain[] = {1, 1, 1, 2}, bias[] = {0, 0, 0, 10}, stats[2], y[4], running[] = {0, 1},
          saved[2];
    ops->norm(dev, F32(x, 1, 4), F32(gain, 4), F32(bias, 4), 0.75f, F32(stats, 1, 2), F32(y, 1, 4));
    float rstd = 0.70710678f; /* 1 / sqrt(1.25 + 0.75) */
    assert_all_near(stats, (float[]){2.5f, rstd}, 2, 1e-7);
    assert_all_near(y, (float[]){-1.5f * rstd, -0.5f * rstd, 0.5f * rstd, 10 + 3 * rstd}, 4, 1e-6);
    ops->batchnorm(dev, F32(x, 2, 2, 1, 1), F32(gain, 1), F32(bias, 1), NULL, 0.75f, 0.1f, true, true,
                   F32(running, 2, 1), F32(saved, 2, 1), F32(y, 2, 2, 1, 1));
    assert_all_near(y, (float[]){0, 0, 0.5f * rstd, 1.5f * rstd}, 4, 1e-6);
    assert_all_near(running, (float[]){0.25f, 0.9f + 0.1f * 5 / 3}, 2, 1e-6);
    ops->batchnorm(dev, F32(x, 2, 2, 1, 1), F32(gain, 1), F32(bias, 1), NULL, 1, 0.1f, false, false,
                   F32(((float[]){1, 3}), 2, 1), F32(saved, 2, 1), F32(y, 2, 2, 1, 1));
    assert_all_near(y, (float[]){0, 0.5f, 1, 1.5f}, 4, 1e-6);
    assert_all_near(saved, (float[]){1, 0.5f}, 2, 1e-6);
}

/* Two tokens, one head of size 1: scores are q k, so the softmax can be written down. */
static void test_attention_values(void **state)
{
    (void)state;
    float qkv[] = {1, 0, 10, 2, 1, 20}, lse[2], y[2];
    double e = exp(1), p = e / (1 + e), p2 = exp(2) / (1 + exp(2));
    ops->attention(dev, F32(qkv, 1, 2, 3, 1, 1), false, NULL, NULL, F32(lse, 1, 1, 2), F32(y, 1, 2, 1, 1));
    assert_near(y[0], 10 + 10 * p, 1e-5);
    assert_near(y[1], 10 + 10 * p2, 1e-5);
    assert_near(lse[1], log(1 + exp(2)), 1e-6);
    ops->attention(dev, F32(qkv, 1, 2, 3, 1, 1), true, NULL, NULL, NULL, F32(y, 1, 2, 1, 1));
    assert_near(y[0], 10, 0);
    assert_near(y[1], 10 + 10 * p2, 1e-5);
}

/* Token by token, or in two pieces, with a cache gives what the whole sequence gives. */
static void test_cached_attention_is_causal_attention(void **state)
{
    (void)state;
    enum { B = 2, T = 6, H = 2, E = 5, ROW = 3 * H * E };
    float qkv[B * T * ROW], whole[B * T * H * E], piece[B * T * ROW], y[B * T * H * E], cache[2 * B * H * 9 * E];
    for (int i = 0; i < B * T * ROW; i++) qkv[i] = (float)sin(i * 1.7);
    ops->attention(dev, F32(qkv, B, T, 3, H, E), true, NULL, NULL, NULL, F32(whole, B, T, H, E));
    for (int step = 1; step <= 4; step += 3) { /* 4: four tokens, then two */
        for (int32_t at = 0; at < T; at += step) {
            int n = step < T - at ? step : T - at;
            for (int b = 0; b < B; b++)
                memcpy(piece + b * n * ROW, qkv + (b * T + at) * ROW, sizeof *piece * (size_t)(n * ROW));
            ops->attention(dev, F32(piece, B, n, 3, H, E), true, &OVER(cache, SB_F32, 2, B, H, 9, E), &at, NULL,
                           F32(y, B, n, H, E));
            for (int b = 0; b < B; b++)
                assert_all_near(y + b * n * H * E, whole + (b * T + at) * H * E, n * H * E, 1e-6);
        }
    }
}

/* A convolution whose window is its stride is a linear over patches. */
static void test_patchify_is_the_order_of_a_convolution(void **state)
{
    (void)state;
    enum { S = 6, P = 3, O = 4 };
    float planes[3 * S * S], pixels[3 * S * S], w[O * 3 * P * P], rows[4 * 3 * P * P], a[4 * O], b[4 * O];
    for (int i = 0; i < 3 * S * S; i++) planes[i] = pixels[i % (S * S) * 3 + i / (S * S)] = (float)cos(i * 0.9);
    for (int i = 0; i < O * 3 * P * P; i++) w[i] = (float)sin(i * 0.3);
    ops->patchify(dev, F32(planes, 1, 3, S, S), P, F32(rows, 1, 4, 3 * P * P));
    ops->linear(dev, F32(rows, 4, 3 * P * P), F32(w, O, 3 * P * P), NULL, NULL, SB_ACT_NONE, NULL, NULL, F32(a, 4, O));
    ops->conv2d(dev, F32(pixels, 1, S, S, 3), F32(w, O, 3, P, P), NULL, (struct sb_conv){P, 0}, F32(b, 1, 2, 2, O));
    assert_all_near(a, b, 4 * O, 1e-5);
}

static void test_maxpool_takes_the_first_of_equals(void **state)
{
    (void)state;
    float x[] = {-5, -5, -7, -5, -6, -8, -9, -9, -9}, y[4], dx[9];
    int32_t index[4];
    ops->maxpool(dev, F32(x, 1, 3, 3, 1), 3, (struct sb_conv){2, 1}, I32(index, 1, 2, 2, 1), F32(y, 1, 2, 2, 1));
    assert_all_near(y, (float[]){-5, -5, -5, -6}, 4, 0);
    assert_memory_equal(index, ((int32_t[]){0, 1, 3, 4}), sizeof index);
    ops->maxpool_bwd(dev, I32(((int32_t[]){0, 1, 4, 4}), 1, 2, 2, 1), 3, (struct sb_conv){2, 1},
                     F32(((float[]){1, 2, 4, 8}), 1, 2, 2, 1), F32(dx, 1, 3, 3, 1));
    assert_all_near(dx, (float[]){1, 2, 0, 0, 12, 0, 0, 0, 0}, 9, 0);
}

static void test_token_values(void **state)
{
    (void)state;
    float x[] = {1, 2}, prefix[] = {10}, pos[] = {0.1f, 0.2f}, all[] = {0.5f, 0.1f, 0.2f}, y[3], table[] = {5, 6, 7},
          out[2];
    ops->tokens(dev, F32(x, 1, 2, 1), F32(prefix, 1, 1), F32(pos, 2, 1), F32(y, 1, 3, 1));
    assert_all_near(y, (float[]){10, 1.1f, 2.2f}, 3, 1e-6);
    ops->tokens(dev, F32(x, 1, 2, 1), F32(prefix, 1, 1), F32(all, 3, 1), F32(y, 1, 3, 1));
    assert_all_near(y, (float[]){10.5f, 1.1f, 2.2f}, 3, 1e-6);
    ops->embed(dev, I32(((int32_t[]){2, 0}), 1, 2), F32(table, 3, 1), F32(all, 3, 1), &(int32_t){1}, F32(out, 1, 2, 1));
    assert_all_near(out, (float[]){7.1f, 5.2f}, 2, 1e-6);
}

/* ---- losses ------------------------------------------------------------------------------------------------------ */

static void test_loss_values(void **state)
{
    (void)state;
    float logits[] = {0, 0, 0, 0, 1000, 0}, loss[3], d[6], p[6], scale = 0.5f;
    int32_t label[] = {0, -1, 0}, best[3];
    ops->xent(dev, F32(logits, 3, 2), I32(label, 3), NULL, 0, F32(&scale, 1), F32(loss, 3), F32(d, 3, 2));
    assert_all_near(loss, (float[]){0.69314718f, 0, 0}, 3, 1e-7);
    assert_all_near(d, (float[]){-0.25f, 0.25f, 0, 0, 0, 0}, 6, 1e-7);
    ops->xent(dev, F32(logits, 3, 2), I32(((int32_t[]){0, 0, 1}), 3), F32(((float[]){2, 1}), 2), 0, NULL, F32(loss, 3),
              NULL);
    assert_all_near(loss, (float[]){2 * 0.69314718f, 2 * 0.69314718f, 1000}, 3, 1e-6);
    ops->bce(dev, F32(logits, 3, 2), F32(((float[]){1, 0, 1, 1, 1, 0}), 3, 2), F32(((float[]){3, 1}), 2), NULL,
             F32(loss, 3), NULL);
    assert_all_near(loss, (float[]){2 * 0.69314718f, 2 * 0.69314718f, 0.34657359f}, 3, 1e-6);
    ops->mse(dev, F32(logits, 3, 2), F32(((float[]){1, 3, 0, 0, 1000, 2}), 3, 2), F32(((float[]){1, 1, 3}), 3), NULL,
             F32(loss, 3), NULL);
    assert_all_near(loss, (float[]){5, 0, 6}, 3, 0);
    ops->softmax(dev, F32(logits, 3, 2), F32(p, 3, 2));
    assert_all_near(p, (float[]){0.5f, 0.5f, 0.5f, 0.5f, 1, 0}, 6, 0);
    ops->argmax(dev, F32(((float[]){1, 1, -2, -1, 3, 0}), 3, 2), I32(best, 3));
    assert_memory_equal(best, ((int32_t[]){0, 1, 0}), sizeof best);
}

/* ---- optimiser --------------------------------------------------------------------------------------------------- */

/* Three steps beside PyTorch's AdamW (Adam) written out for one number, with clipping and micro-batches. */
static void follow(bool decoupled)
{
    double p = 0.8, g[] = {3, -1, 0.5}, m = 0, v = 0, average = 0.8, lr = 0.1, decay = 0.3, b1 = 0.9f, b2 = 0.999f;
    double flat[4][3] = {{0.8, 5, 0.8}, {0}, {0}, {0}}, averages[3] = {0.8, 5, 0.8};
    uint16_t copy[3] = {0};
    struct sb_segment segment[] = {{0, 1, 1, 0.3f}, {2, 1, 0, 0.3f}};
    for (int t = 1; t <= 3; t++) {
        struct sb_adamw_step s = {.lr = 0.1f,
                                  .beta1 = 0.9f,
                                  .beta2 = 0.999f,
                                  .eps = 1e-8f,
                                  .correction1 = (float)(1 - pow(b1, t)),
                                  .correction2 = (float)(1 - pow(b2, t)),
                                  .max_norm = 0.5f,
                                  .grad_scale = 0.5f,
                                  .average = 0.9f,
                                  .decoupled = decoupled};
        double norm2 = 2 * g[t - 1] * g[t - 1], norm = sqrt(norm2) / 2, clip = fmin(1, 0.5 / (norm + 1e-6)),
               gradient = g[t - 1] / 2 * clip;
        if (!decoupled) gradient += decay * p;
        m = b1 * m + (1 - b1) * gradient;
        v = b2 * v + (1 - b2) * gradient * gradient;
        if (decoupled) p *= 1 - lr * decay;
        p -= lr * (m / (1 - pow(b1, t))) / (sqrt(v / (1 - pow(b2, t))) + 1e-8);
        average = 0.9 * average + 0.1 * p;
        flat[1][0] = flat[1][1] = flat[1][2] = g[t - 1];
        ops->adamw(dev, segment, 2, &s, F64(&norm2, 1), F64(flat[0], 3), F64(flat[1], 3), F64(flat[2], 3),
                   F64(flat[3], 3), F64(averages, 3), &OVER(copy, SB_BF16, 3));
        assert_near(flat[0][0], p, 2e-6);
        assert_near(averages[0], average, 2e-6);
        assert_near(sb_bf16_to_f32(copy[0]), p, 4e-3);
        assert_true(flat[1][0] == 0 && flat[1][1] == g[t - 1] && flat[1][2] == 0); /* used, in no segment, used */
        assert_true(flat[0][1] == 5 && flat[0][2] == 0.8 && copy[1] == 0);         /* in no segment; rate 0 */
    }
}

static void test_adamw_and_adam(void **state)
{
    (void)state;
    follow(true);
    follow(false);
    float x[] = {1, -2, 3}, sum;
    ops->sumsq(dev, F32(x, 3), F32(&sum, 1));
    assert_near(sum, 14, 0);
}

/* ---- data and pictures ------------------------------------------------------------------------------------------- */

static void test_casts_round_and_clamp(void **state)
{
    (void)state;
    float x[] = {-3, 0.5f, 1.5f, 254.6f, 300, 3e9f, -3e9f}, y[7];
    uint8_t bytes[7];
    int32_t words[7];
    uint16_t halves[7];
    ops->cast(dev, F32(x, 7), U8(bytes, 7));
    assert_memory_equal(bytes, ((uint8_t[]){0, 0, 2, 255, 255, 255, 0}), 7);
    ops->cast(dev, F32(x, 7), I32(words, 7));
    assert_memory_equal(words, ((int32_t[]){-3, 0, 2, 255, 300, INT32_MAX, INT32_MIN}), sizeof words);
    ops->cast(dev, F32(x, 7), &OVER(halves, SB_BF16, 7));
    ops->cast(dev, &OVER(halves, SB_BF16, 7), F32(y, 7));
    assert_all_near(y, (float[]){-3, 0.5f, 1.5f, 255, 300}, 5, 0);
}

static void test_lerp_and_copy(void **state)
{
    (void)state;
    float a[] = {0, 0, 10, 10}, b[] = {1, 2, 20, 20}, t[] = {0.5f, 0.1f}, y[4], wide[] = {9, 9, 9, 9, 9, 9};
    ops->lerp(dev, F32(a, 2, 2), F32(b, 2, 2), F32(t, 2), F32(y, 2, 2));
    assert_all_near(y, (float[]){0.5f, 1, 11, 11}, 4, 1e-6);
    ops->lerp(dev, F32(a, 2, 2), F32(b, 2, 2), F32(t, 1), F32(y, 2, 2));
    assert_all_near(y, (float[]){0.5f, 1, 15, 15}, 4, 1e-6);
    ops->copy(dev, F32(b, 2, 1), 2, 3, F32(wide, 2, 1));
    assert_all_near(wide, (float[]){1, 9, 9, 20, 9, 9}, 6, 0);
}

static void test_normalize_and_warp(void **state)
{
    (void)state;
    uint8_t x[12] = {0, 100, 50, 200, 0, 0, 0, 255, 255, 255, 255, 255}, out[12];
    float mean_std[] = {0, 0.5f, 1, 1, 0.5f, 2}, y[12], colour[] = {2, 10};
    ops->normalize(dev, U8(x, 1, 3, 2, 2), F32(mean_std, 2, 3), F32(y, 1, 3, 2, 2));
    assert_all_near(y, (float[]){0, 100 / 255.0f, 50 / 255.0f, 200 / 255.0f, -1, -1, -1, 1, 0, 0, 0, 0}, 12, 1e-6);
    ops->warp(dev, U8(x, 1, 3, 2, 2), F32(((float[]){1, 0, 0, 0, 1, 0}), 1, 6), NULL, U8(out, 1, 3, 2, 2));
    assert_memory_equal(out, x, 12); /* the identity */
    ops->warp(dev, U8(x, 1, 3, 2, 2), F32(((float[]){-1, 0, 1, 0, 1, 0}), 1, 6), NULL, U8(out, 1, 3, 2, 2));
    assert_memory_equal(out, ((uint8_t[]){100, 0, 200, 50}), 4); /* mirrored */
    ops->warp(dev, U8(x, 1, 3, 2, 2), F32(((float[]){1, 0, 0.5f, 0, 1, 0.5f}), 1, 6), NULL, U8(out, 1, 3, 2, 2));
    assert_memory_equal(out, ((uint8_t[]){88, 150, 125, 200}), 4); /* between four pixels (87.5), then over the edges */
    ops->warp(dev, U8(x, 1, 3, 2, 2), F32(((float[]){1, 0, 0, 0, 1, 0}), 1, 6), F32(colour, 1, 2), U8(out, 1, 3, 2, 2));
    assert_memory_equal(out, ((uint8_t[]){0, 82, 0, 255}), 4); /* (v - 128) 2 + 138 */
}

static void test_mix(void **state)
{
    (void)state;
    float x[2 * 12], y[2 * 12], weight[] = {0.75f, 1};
    int32_t partner[] = {1, 0}, box[] = {0, 0, 0, 0, 1, 0, 2, 1};
    for (int i = 0; i < 12; i++) x[i] = (float)i, x[12 + i] = (float)(100 + i);
    ops->mix(dev, F32(x, 2, 3, 2, 2), I32(partner, 2), F32(weight, 2), I32(box, 2, 4), F32(y, 2, 3, 2, 2));
    assert_all_near(y, (float[]){25, 26, 27, 28, 29}, 5, 1e-5);                 /* 3/4 x + 1/4 its partner */
    assert_all_near(y + 12, (float[]){100, 1, 102, 103, 104, 5, 106}, 7, 0); /* the upper right pixel is cut in */
}

static void test_clusters(void **state)
{
    (void)state;
    float x[] = {0, 0, 4, 4, 1, 0, 2, 2}, c[] = {4, 3, 0, 1, 0, 1}, distance[4], sum[6], count[3];
    int32_t index[4];
    ops->nearest(dev, F32(x, 4, 2), F32(c, 3, 2), I32(index, 4), F32(distance, 4));
    assert_memory_equal(index, ((int32_t[]){1, 0, 1, 0}),
                        sizeof index); /* of the two equal centres the first; (2,2) lies between */
    assert_all_near(distance, (float[]){1, 1, 2, 5}, 4, 0);
    ops->nearest_sum(dev, F32(x, 4, 2), I32(index, 4), F32(sum, 3, 2), F32(count, 3));
    assert_all_near(sum, (float[]){6, 6, 1, 0, 0, 0}, 6, 0);
    assert_all_near(count, (float[]){2, 2, 0}, 3, 0);
    ops->centroids(dev, F32(sum, 3, 2), F32(count, 3), F32(c, 3, 2), F32(c, 3, 2));
    assert_all_near(c, (float[]){3, 3, 0.5f, 0, 0, 1}, 6, 0); /* none is in the third: it stays */
}

static int open_device(void **state)
{
    (void)state;
    dev = ops->open(0, 0, NULL);
    return dev ? 0 : -1;
}

static int close_device(void **state)
{
    (void)state;
    ops->close(dev);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_dropout_follows_the_convention),
        cmocka_unit_test(test_masks_do_not_depend_on_the_micro_batch),
        cmocka_unit_test(test_drop_path_takes_whole_samples),
        cmocka_unit_test(test_linear_and_gelu_values),
        cmocka_unit_test(test_norm_values),
        cmocka_unit_test(test_attention_values),
        cmocka_unit_test(test_cached_attention_is_causal_attention),
        cmocka_unit_test(test_patchify_is_the_order_of_a_convolution),
        cmocka_unit_test(test_maxpool_takes_the_first_of_equals),
        cmocka_unit_test(test_token_values),
        cmocka_unit_test(test_loss_values),
        cmocka_unit_test(test_adamw_and_adam),
        cmocka_unit_test(test_casts_round_and_clamp),
        cmocka_unit_test(test_lerp_and_copy),
        cmocka_unit_test(test_normalize_and_warp),
        cmocka_unit_test(test_mix),
        cmocka_unit_test(test_clusters),
    };
    return cmocka_run_group_tests_name("values", tests, open_device, close_device);
}
