/* libFuzzer target: any bytes as a stream. Reads every record, decodes every field in every way, describes it. Run:
 * make fuzz && build/fuzz_stream -max_len=4096 tests/corpus/stream */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stream/describe.h"
#include "stream/history.h"
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

/* What was taken for a history is one again, however it is put together with itself. */
static void join_histories(const struct sb_record *header)
{
    static const struct sb_opt no_opts[] = {SB_OPT_END};
    static const struct sb_tool tool = {"fuzz", "", "", no_opts, false};
    static const struct sb_args no_args;
    struct sb_record once = {0}, twice = {0};
    const struct sb_record *input[] = {header, &once};
    if (sb_history_check(header)) return;
    sb_history_join(&once, NULL, (const struct sb_record *[]){header, header}, 2, &tool, &no_args);
    sb_history_join(&twice, header, input, 2, &tool, &no_args);
    if (sb_history_check(&once) || sb_history_check(&twice)) __builtin_trap();
    sb_record_free(&once);
    sb_record_free(&twice);
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
    join_histories(sb_reader_header(r));
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
