/* One tensor of a safetensors file into a model's flat f32 buffer. */
#ifndef SB_NN_WEIGHT_READ_H
#define SB_NN_WEIGHT_READ_H

#include "nn/model.h"

/* What a file holds for this parameter: its own shape, or that of its transpose. "[3,24]" into buf; returns buf. */
const char *sb_param_file_shape(const struct sb_param *p, char *buf, size_t size);
bool sb_weight_fits(const struct sb_tensor *t,
                    const struct sb_param *p); /* the same shape, and a dtype that can be read */
int sb_weight_misfit(const char *path, const struct sb_tensor *t,
                     const struct sb_param *p); /* the message; t NULL: absent. -1 */

/* f32, f16, bf16 and f64, aligned or not. */
bool sb_weight_readable(enum sb_dtype dtype);
float sb_weight_at(const struct sb_tensor *t, int64_t i);
void sb_weight_read(const struct sb_tensor *t, const struct sb_param *p, float *to); /* transposes where p says so */
void sb_weight_transpose(const float *from, int64_t rows, int64_t columns, float *to);

#endif
