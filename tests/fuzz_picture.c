/* libFuzzer target: any bytes as a picture. The first byte says what is asked of the decoder, the rest is a JPEG or
 * PNG; what it decodes to is resized and turned, and a JPEG is glanced at. Run: make fuzz && build/fuzz_picture -max_len=4096
 * tests/corpus/picture */
#include <stdlib.h>
#include <string.h>

#include "media/picture.h"
#include "media/thumb.h"
#include "media/transform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t tensor[3 * 9 * 9];
    struct sb_picture p = {0}, scratch = {0};
    if (size < 1) return 0;
    struct sb_decoding how = {.stored = data[0] & 1,
                              .over = data[0] & 2,
                              .bits = data[0] & 4 ? 8 + data[0] / 32 : 0,
                              .background = {1, 2, 3}};
    struct sb_transform t = {.size = 9, .crop = 1, .fit = data[0] & 8 ? SB_FIT_LETTERBOX : SB_FIT_STRETCH};
    if (sb_picture_decode_as(&p, data + 1, size - 1, &how) == 0) sb_transform(&t, &p, &scratch, tensor);
    struct sb_thumb thumb;
    sb_jpeg_thumb(data + 1, size - 1, &thumb);
    sb_picture_free(&p);
    sb_picture_free(&scratch);
    return 0;
}
