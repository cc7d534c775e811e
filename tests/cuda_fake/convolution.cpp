/* Convolution as cuDNN would do it: a loop, with sums in double. */
#include "kernels/cuda/convolution.h"

#include <vector>

#include "kernels/cuda/kernel.h"

/* Adds to[i] from the two others for every use of a weight. */
static void convolve(sb_convolve what, const struct sb_convolution *c, const double *x, const double *w,
                     const double *y, double *to)
{
    for (int64_t out = 0; out < c->b * c->oh * c->ow; out++) {
        for (int64_t tap = 0; tap < c->kh * c->kw; tap++) {
            int64_t iy = out / c->ow % c->oh * c->stride - c->pad + tap / c->kw,
                    ix = out % c->ow * c->stride - c->pad + tap % c->kw, b = out / c->ow / c->oh;
            if (iy < 0 || iy >= c->h || ix < 0 || ix >= c->w) continue;
            int64_t in = ((b * c->h + iy) * c->w + ix) * c->i;
            for (int64_t o = 0; o < c->o; o++) {
                int64_t weight = (o * c->kh * c->kw + tap) * c->i, at = out * c->o + o;
                for (int64_t i = 0; i < c->i; i++) {
                    if (what == SB_CONVOLVE) to[at] += x[in + i] * w[weight + i];
                    else if (what == SB_CONVOLVE_DATA) to[in + i] += y[at] * w[weight + i];
                    else to[weight + i] += y[at] * x[in + i];
                }
            }
        }
    }
}

static std::vector<double> load(enum sb_dtype dtype, const void *p, int64_t n)
{
    std::vector<double> to((size_t)n);
    for (size_t i = 0; i < to.size(); i++)
        to[i] = dtype == SB_BF16 ? sb_bf16_to_f32(((const uint16_t *)p)[i]) : ((const float *)p)[i];
    return to;
}

bool sb_cudnn_convolve(struct sb_dev *d, enum sb_convolve what, const struct sb_convolution *shape, void *x, void *w,
                       void *y)
{
    struct sb_convolution c = *shape;
    cusim_queue(d->stream, [=] {
        int64_t size[3] = {c.b * c.oh * c.ow * c.o, c.b * c.h * c.w * c.i, c.o * c.kh * c.kw * c.i};
        void *target[3] = {y, x, w};
        std::vector<double> to((size_t)size[what]), xs = load(c.dtype, x, size[1]), ws = load(c.dtype, w, size[2]),
                                                   ys = load(c.dtype, y, size[0]);
        convolve(what, &c, xs.data(), ws.data(), ys.data(), to.data());
        for (size_t i = 0; i < to.size(); i++) {
            if (c.dtype == SB_BF16) ((uint16_t *)target[what])[i] = sb_f32_to_bf16((float)to[i]);
            else ((float *)target[what])[i] = (float)to[i];
        }
    });
    return true;
}

int64_t sb_cudnn_version(struct sb_dev *) { return 1; }

void sb_cudnn_close(struct sb_dev *) {}
