#include "media/thumb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE SB_THUMB_SIDE

int sb_thumb_shrink(int width, int height)
{
    int shorter = width < height ? width : height, shrink = 1;
    while (shrink < 8 && shorter >= 2 * shrink * SIDE) shrink *= 2;
    return shrink;
}

/* ---- squeezing --------------------------------------------------------------------------------------------------- */

/* Which of n samples, that lie over `extent` of their own widths, make up the i-th of SIDE, and with what weights. */
static int taps(int i, int n, double extent, float *weight, int *count)
{
    double scale = extent / SIDE, reach = scale < 1 ? 1 : scale, centre = (i + 0.5) * scale, sum = 0;
    int first = (int)floor(centre - reach), last = (int)ceil(centre + reach);
    if (first < 0) first = 0;
    if (last > n) last = n;
    *count = last - first;
    for (int k = first; k < last; k++) {
        double w = 1 - fabs(k + 0.5 - centre) / reach;
        sum += w > 0 ? w : 0;
        weight[k - first] = w > 0 ? (float)w : 0;
    }
    for (int k = 0; k < *count; k++) weight[k] = (float)(weight[k] / sum);
    return first;
}

void sb_thumb_squeeze(struct sb_thumb *thumb, const uint8_t *grey, int width, int height, int shrunk)
{
    int w = (width + shrunk - 1) / shrunk, h = (height + shrunk - 1) / shrunk, count;
    float *row = sb_malloc((size_t)h * SIDE * sizeof *row);
    float *weight = sb_malloc((size_t)((w > h ? w : h) + 2) * sizeof *weight);
    for (int x = 0; x < SIDE; x++) {
        int first = taps(x, w, (double)width / shrunk, weight, &count);
        for (int y = 0; y < h; y++) {
            const uint8_t *from = grey + (size_t)y * w + first;
            float sum = 0;
            for (int k = 0; k < count; k++) sum += weight[k] * from[k];
            row[(size_t)y * SIDE + x] = sum;
        }
    }
    memset(thumb, 0, sizeof *thumb);
    for (int y = 0; y < SIDE; y++) {
        int first = taps(y, h, (double)height / shrunk, weight, &count);
        for (int k = 0; k < count; k++)
            for (int x = 0; x < SIDE; x++) thumb->grey[y][x] += weight[k] * row[(size_t)(first + k) * SIDE + x];
    }
    free(row);
    free(weight);
}

/* ---- pixels ------------------------------------------------------------------------------------------------------ */

/* The luma of `shrink` rows that were added up, in means of `shrink` pixels; fewer at the right edge. */
static void means(const uint16_t *sum, int width, int rows, int shrink, uint8_t *grey)
{
    for (int x = 0; x < width; x += shrink) {
        int columns = x + shrink < width ? shrink : width - x;
        uint32_t rgb[3] = {0};
        for (int k = 3 * x; k < 3 * (x + columns); k += 3)
            for (int c = 0; c < 3; c++) rgb[c] += sum[k + c];
        uint32_t unit = 1000 * (uint32_t)(rows * columns);
        *grey++ = (uint8_t)((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + unit / 2) / unit);
    }
}

void sb_picture_thumb(const struct sb_picture *p, struct sb_thumb *thumb)
{
    int shrink = sb_thumb_shrink(p->width, p->height);
    int w = (p->width + shrink - 1) / shrink, h = (p->height + shrink - 1) / shrink;
    size_t stride = (size_t)p->width * 3;
    uint8_t *grey = sb_malloc((size_t)w * (size_t)h);
    uint16_t *sum = sb_malloc(stride * sizeof *sum);
    for (int y = 0; y < h; y++) {
        int rows = (y + 1) * shrink < p->height ? shrink : p->height - y * shrink;
        memset(sum, 0, stride * sizeof *sum);
        for (int k = 0; k < rows; k++) {
            const uint8_t *from = p->rgb + (size_t)(y * shrink + k) * stride;
            for (size_t i = 0; i < stride; i++) sum[i] = (uint16_t)(sum[i] + from[i]);
        }
        means(sum, p->width, rows, shrink, grey + (size_t)y * (size_t)w);
    }
    sb_thumb_squeeze(thumb, grey, p->width, p->height, shrink);
    free(grey);
    free(sum);
}

/* ---- turning ----------------------------------------------------------------------------------------------------- */

void sb_thumb_upright(struct sb_thumb *thumb, int orientation)
{
    if (orientation < 2 || orientation > 8) return;
    struct sb_thumb from = *thumb;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int v = y, u = x, far = SIDE - 1;
            switch (orientation) { /* where the upright picture's (y, x) is stored */
            case 2: u = far - x; break;
            case 3: v = far - y, u = far - x; break;
            case 4: v = far - y; break;
            case 5: v = x, u = y; break;
            case 6: v = far - x, u = y; break;
            case 7: v = far - x, u = far - y; break;
            case 8: v = x, u = far - y; break;
            }
            thumb->grey[y][x] = from.grey[v][u];
        }
}
