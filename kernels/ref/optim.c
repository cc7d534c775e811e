#include "kernels/ref/ref.h"

void sb_ref_adamw(struct sb_dev *d, const struct sb_segment *segment, int64_t segments,
                  const struct sb_adamw_step *step, sb_in norm2, sb_out master, sb_out grad, sb_out m, sb_out v,
                  sb_out average, sb_out copy)
{
    (void)d;
    double scale = step->grad_scale;
    if (norm2 && step->max_norm > 0)
        scale *= fmin(1, step->max_norm / (step->grad_scale * sqrt(sb_load(norm2, 0)) + 1e-6));
    for (int64_t s = 0; s < segments; s++) {
        double lr = (double)step->lr * segment[s].lr_scale, decay = segment[s].decay;
        for (int64_t i = segment[s].offset; i < segment[s].offset + segment[s].count; i++) {
            double p = sb_load(master, i), g = sb_load(grad, i) * scale;
            if (!step->decoupled) g += decay * p;
            double mi = step->beta1 * sb_load(m, i) + (1 - (double)step->beta1) * g;
            double vi = step->beta2 * sb_load(v, i) + (1 - (double)step->beta2) * g * g;
            double change = mi / step->correction1 / (sqrt(vi / step->correction2) + step->eps);
            p -= lr * (change + (step->decoupled ? decay * p : 0));
            sb_store(m, i, mi);
            sb_store(v, i, vi);
            sb_store(master, i, p);
            sb_store(grad, i, 0);
            if (average) sb_add(average, i, (1 - (double)step->average) * (p - sb_load(average, i)));
            if (copy) sb_store(copy, i, p);
        }
    }
}

void sb_ref_sumsq(struct sb_dev *d, sb_in x, sb_out y)
{
    (void)d;
    double sum = 0;
    for (int64_t i = 0; i < x->shape[0]; i++) sum += sb_load(x, i) * sb_load(x, i);
    sb_store(y, 0, sum);
}
