/* Position embeddings for another grid, as timm's resample_abs_pos_embed does it. */
#ifndef SB_WEIGHTS_POSITIONS_H
#define SB_WEIGHTS_POSITIONS_H

#include <stdint.h>

/* from [prefix + rows*columns, dim] to [prefix + new_side*new_side, dim]: the prefix is copied, the grid is resampled
 * with the bicubic filter of torch's interpolate(mode="bicubic", antialias=True): a = -0.5, widened when shrinking. */
void sb_positions_resize(const float *from, int64_t prefix, int64_t rows, int64_t columns, int64_t new_side,
                         int64_t dim, float *to);

#endif
