#include "formats/npy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/err.h"

/* The header of so many rows, without what fills it up. The caller frees it. */
static char *dictionary(const struct sb_npy *npy, uint64_t rows)
{
    struct sb_buffer text = {0};
    FILE *f = sb_buffer_stdio(&text);
    fprintf(f, "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRIu64 ",", sb_dtype_numpy(npy->one.dtype), rows);
    for (int i = 0; i < npy->one.ndim; i++) fprintf(f, "%s%" PRId64, i ? ", " : " ", npy->one.shape[i]);
    fputs("), }", f);
    putc(0, f);
    fclose(f);
    return (char *)text.data;
}

/* As large as for any number of rows: magic, version and length, the dictionary, blanks, a line feed; 64 bytes or a
 * multiple, as NumPy aligns what it maps. */
static void header(const struct sb_npy *npy, FILE *out, uint64_t rows)
{
    char *most = dictionary(npy, UINT64_MAX), *text = dictionary(npy, rows);
    int size = ((int)strlen(most) + 11 + 63) / 64 * 64, rest = size - 10;
    fwrite("\x93NUMPY\x01\x00", 1, 8, out);
    putc(rest & 255, out);
    putc(rest >> 8, out);
    fprintf(out, "%-*s\n", rest - 1, text);
    free(most);
    free(text);
}

static int begin(struct sb_npy *npy, FILE *out, const struct sb_tensor *t)
{
    npy->begun = true;
    npy->one = *t;
    npy->one.data = NULL;
    if (t->dtype == SB_BF16) npy->one.dtype = SB_F32;
    header(npy, out, 0);
    return 0;
}

static bool is_like(const struct sb_npy *npy, const struct sb_tensor *t)
{
    enum sb_dtype dtype = t->dtype == SB_BF16 ? SB_F32 : t->dtype;
    return dtype == npy->one.dtype && t->ndim == npy->one.ndim &&
           !memcmp(t->shape, npy->one.shape, (size_t)t->ndim * sizeof *t->shape);
}

int sb_npy_add(struct sb_npy *npy, FILE *out, const struct sb_tensor *t)
{
    char was[128], is[128];
    if (!npy->begun) begin(npy, out, t);
    if (!is_like(npy, t))
        return sb_error("%s, where the records before it have %s: one array can't hold both",
                        sb_tensor_text(t, is, sizeof is), sb_tensor_text(&npy->one, was, sizeof was));
    npy->rows++;
    if (t->dtype != SB_BF16) {
        fwrite(t->data, 1, sb_tensor_bytes(t), out);
        return 0;
    }
    const uint16_t *from = t->data;
    for (int64_t i = 0, n = sb_tensor_count(t); i < n; i++) {
        float v = sb_bf16_to_f32(from[i]);
        fwrite(&v, sizeof v, 1, out);
    }
    return 0;
}

int sb_npy_end(struct sb_npy *npy, FILE *out)
{
    if (!npy->begun) begin(npy, out, &(struct sb_tensor){.dtype = SB_F32});
    if (fseeko(out, 0, SEEK_SET)) return sb_error("the array's length stands at its beginning: it can't be written");
    header(npy, out, npy->rows);
    return 0;
}
