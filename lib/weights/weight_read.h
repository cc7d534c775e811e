/* One tensor of a safetensors file into a model's flat f32 buffer. */
#ifndef SB_WEIGHTS_WEIGHT_READ_H
#define SB_WEIGHTS_WEIGHT_READ_H

#include "nn/model.h"

/* Has the shape that files hold of this parameter, its own or its transpose's, and a dtype that can be read. */
bool sb_weight_fits(const struct sb_tensor *t, const struct sb_param *p);
/* The message about one that does not fit, or is absent. -1 */
int sb_weight_misfit(const char *path, const struct sb_weights *w, const struct sb_param *p);

/* For p of model m out of the file of the model `from`. Checks that there is a tensor that fits, or positions of
 * another grid, -1 with a message; whether it is such; and resizes them as timm does. */
int sb_weight_check(const struct sb_model *m, const struct sb_model *from, const struct sb_param *p, const char *path);
bool sb_weight_other_grid(const struct sb_model *m, const struct sb_model *from, const struct sb_param *p);
void sb_weight_positions(const struct sb_model *m, const struct sb_model *from, const struct sb_param *p, float *to);

/* f32, f16, bf16 and f64, aligned or not. */
bool sb_weight_readable(enum sb_dtype dtype);
float sb_weight_at(const struct sb_tensor *t, int64_t i);
void sb_weight_read(const struct sb_tensor *t, const struct sb_param *p, float *to); /* transposes where p says so */
void sb_weight_transpose(const float *from, int64_t rows, int64_t columns, float *to);

#endif
