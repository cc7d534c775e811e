/* libFuzzer target: any bytes as a table that records are joined with. Run:
 * make fuzz && build/fuzz_table -max_len=4096 tests/corpus/table */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "join/take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A record that has fields of every kind that a cell may meet. */
static void fill(struct sb_record *rec)
{
    const float box[4] = {1, 2, 3, 4};
    sb_record_reset(rec);
    sb_set_cstr(rec, "id", "a");
    sb_set_cstr(rec, "source", "s");
    sb_set_real(rec, "pts", 1.5);
    sb_set_real(rec, "time", 1783087509.25);
    sb_set_cstr(rec, "label", "fish");
    sb_set_packed(rec, "labels", "\x92\xa1x\xa1y", 5);
    sb_set_bool(rec, "occluded", true);
    sb_set_int(rec, "cluster", 7);
    sb_set_bin(rec, "phash", "12345678", 8);
    sb_set_tensor(rec, "box", &(struct sb_tensor){SB_F32, 1, {4}, (void *)box});
}

static void join(const char *path, const char *on)
{
    static struct sb_join_rows rows;
    static struct sb_join_keys keys;
    struct sb_record rec = {0}, out = {0};
    if (sb_join_keys_parse(&keys, on) < 0) __builtin_trap();
    rows.keys = &keys;
    rows.reading.zone.given = true;
    struct sb_join_taking taking = {.rows = &rows, .nearby = keys.moment};
    if (sb_join_rows_load(&rows, path) == 0) {
        fill(&rec);
        for (size_t i = 0; i < rows.keyed; i++) {
            size_t first = 0, count = sb_join_rows_find(&rows, &rows.row[i].key, 0.5, &first);
            if (count == 0 || first > i || first + count <= i) __builtin_trap(); /* a row finds itself */
            if (sb_join_take(&taking, i, i, &rec, &out) == 0 && !sb_record_find(&out, "id")) __builtin_trap();
        }
    }
    sb_record_free(&rec);
    sb_record_free(&out);
    sb_join_taking_free(&taking);
    sb_join_rows_free(&rows);
    sb_join_keys_free(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    sb_quiet = true;
    int fd = memfd_create("table", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) __builtin_trap();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    join(path, "id");
    join(path, "source,pts");
    close(fd);
    return 0;
}
