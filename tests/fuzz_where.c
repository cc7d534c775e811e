/* libFuzzer target: a line of any bytes as a condition, what follows it as a record that it is asked of. Run:
 * make fuzz && build/fuzz_where -max_len=512 tests/corpus/where */
#include <stdlib.h>
#include <string.h>

#include "select/where.h"
#include "stream/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libc's regular expressions take time and memory without end for repeats of repeats. */
static bool is_costly(const char *text)
{
    size_t repeats = 0;
    for (const char *c = text; *c; c++) repeats += *c == '{' ? 5 : *c == '+' || *c == '*' || *c == '?';
    return strchr(text, '~') && repeats > 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sb_record rec = {0};
    struct sb_scan scan;
    const uint8_t *end = memchr(data, '\n', size);
    char *text = sb_strndup((const char *)data, end ? (size_t)(end - data) : size);
    struct sb_where *w = is_costly(text) ? NULL : sb_where_parse(text);
    size_t left = end ? size - (size_t)(end + 1 - data) : 0;
    sb_scan_start(&scan);
    if (w && left && sb_scan_more(&scan, end + 1, left) == 1 && sb_record_parse(&rec, end + 1, scan.at) == 0) {
        int first = sb_where_holds(w, &rec);
        if (first < -1 || first > 1 || sb_where_holds(w, &rec) != first) __builtin_trap();
    }
    sb_where_free(w);
    sb_record_free(&rec);
    free(text);
    return 0;
}
