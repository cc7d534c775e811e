/* libFuzzer target: any bytes as a safetensors file. Run:
 * make fuzz && build/fuzz_safetensors -max_len=4096 tests/corpus/safetensors */
#include "base/err.h"
#include "nn/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_weights w;
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
    return 0;
}
