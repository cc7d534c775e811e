/* libFuzzer target: any bytes as a stream. Reads every record, decodes every field in every way, describes it. Run:
 * make fuzz && build/fuzz_stream -max_len=4096 tests/corpus/stream */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stream/describe.h"
#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_all(struct sb_record *rec)
{
    for (size_t i = 0; i < rec->count && i < 16; i++) {
        char *key = sb_strndup(rec->field[i].key, rec->field[i].key_size);
        struct sb_tensor t;
        msgpack_object o;
        const char *text;
        int64_t whole;
        double real;
        bool truth;
        if (sb_get_tensor(rec, key, &t) == 1) {
            volatile uint8_t last = sb_tensor_bytes(&t) ? ((uint8_t *)t.data)[sb_tensor_bytes(&t) - 1] : 0;
            (void)last;
        }
        sb_get_object(rec, key, &o);
        sb_get_cstr(rec, key, &text);
        sb_get_int(rec, key, &whole);
        sb_get_real(rec, key, &real);
        sb_get_bool(rec, key, &truth);
        free(key);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    static int fd = -1;
    char path[32];
    sb_quiet = true;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    if (fd < 0) fd = memfd_create("fuzz", 0);
    if (!nowhere || fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct sb_reader *r = sb_reader_open(path);
    if (!r) return 0;
    struct sb_record rec = {0}, copy = {0};
    struct sb_description *d = sb_description_new();
    sb_history_print(sb_reader_header(r), nowhere);
    while (sb_reader_next(r, &rec) > 0) {
        sb_record_copy(&copy, &rec);
        sb_description_add(d, &rec);
        decode_all(&rec);
        sb_record_keep(&rec);
    }
    sb_description_print(d, nowhere);
    sb_description_free(d);
    sb_record_free(&rec);
    sb_record_free(&copy);
    sb_reader_close(r);
    return 0;
}
