/* libFuzzer target: any bytes as a table of label names, by which a record's labels are renamed. Run:
 * make fuzz && build/fuzz_label_map -max_len=2048 tests/corpus/label_map */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "select/rename.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rename_all(struct sb_label_map *map)
{
    struct sb_record rec = {0};
    msgpack_object o;
    sb_set_cstr(&rec, "label", "a");
    sb_set_packed(&rec, "labels",
                  "\x93\xa1"
                  "a\xa0\xa1"
                  "b",
                  6);
    sb_set_packed(&rec, "predicted",
                  "\x92\x92\xa1"
                  "a\x01\x92\xa1"
                  "c\xca\x3f\x66\x66\x66",
                  13);
    if (sb_rename_labels(&rec, map)) __builtin_trap();
    for (size_t i = 0; i < rec.count; i++) {
        char *key = sb_strndup(rec.field[i].key, rec.field[i].key_size);
        if (sb_get_object(&rec, key, &o) != 1) __builtin_trap();
        free(key);
    }
    sb_record_free(&rec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char path[32];
    struct sb_label_map map;
    sb_quiet = true;
    if (fd < 0) fd = memfd_create("fuzz", 0);
    if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sb_label_map_read(path, &map) == 0) rename_all(&map);
    sb_label_map_report(&map, path);
    sb_label_map_free(&map);
    return 0;
}
