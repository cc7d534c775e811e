/* libFuzzer target: any bytes as a safetensors file, and as somebody's model. Run:
 * make fuzz && build/fuzz_safetensors -max_len=8192 tests/corpus/safetensors */
#include <string.h>

#include "base/err.h"
#include "weights/foreign.h"
#include "weights/model_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_model(const uint8_t *data, size_t size)
{
    struct sb_model m;
    memset(&m, 0, sizeof m);
    if (sb_weights_parse(&m.file, data, size, "fuzz")) __builtin_trap();
    if (!sb_foreign_read(&m, "/nowhere/fuzz", 1)) sb_model_read(&m, "fuzz");
    sb_model_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_weights w;
    sb_quiet = true;
    if (sb_weights_parse(&w, data, size, "fuzz")) return 0;
    for (size_t i = 0; i < w.count; i++) {
        const struct sb_tensor *t = sb_weights_find(&w, w.weight[i].name);
        size_t bytes = sb_tensor_bytes(t);
        volatile uint8_t last = bytes ? ((const uint8_t *)t->data)[bytes - 1] : 0;
        (void)last;
    }
    for (size_t i = 0; i < w.metadata; i++) {
        if (!sb_weights_metadata(&w, w.key[i])) __builtin_trap();
    }
    sb_weights_close(&w);
    read_model(data, size);
    return 0;
}
