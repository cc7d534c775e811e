/* libFuzzer target: any bytes as the index of a small stream. Whatever is taken for its index must give records as they
 * are, or refuse them. The first byte chooses: the rest is all of the index, or stands between the right header and a
 * trailer that is true of it, so that its content is reached. Run: make fuzz && build/fuzz_index -max_len=4096 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "stream/index.h"
#include "stream/reader.h"
#include "stream/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char stream_path[] = "/tmp/fuzz_index.sb", index_path[] = "/tmp/fuzz_index.sb.idx";
static const struct sb_opt no_opts[] = {SB_OPT_END};
static const struct sb_tool tool = {"fuzz", "", "", no_opts, false};
static const struct sb_args no_args;

static void write_stream(void)
{
    struct sb_record rec = {0};
    struct sb_writer *w = sb_writer_open(stream_path);
    sb_writer_header(w, NULL, &tool, &no_args);
    for (int i = 0; i < 5; i++) {
        sb_record_reset(&rec);
        sb_set_int(&rec, "n", i);
        sb_writer_put(w, &rec);
    }
    sb_writer_close(w);
    sb_record_free(&rec);
}

static struct sb_buffer header; /* of the stream's index */

static void take_header(void)
{
    struct sb_index x = {0};
    struct sb_record rec = {0};
    size_t size;
    struct sb_reader *in = sb_reader_open(stream_path);
    sb_index_begin(&x, in);
    while (sb_reader_next(in, &rec) > 0) sb_index_add(&x, in);
    if (sb_index_save(&x, in, &tool, &no_args)) abort();
    sb_reader_close(in);
    in = sb_reader_open(index_path);
    const uint8_t *bytes = sb_reader_bytes(in, &size);
    sb_buffer_add(&header, bytes, size);
    sb_reader_close(in);
    sb_record_free(&rec);
    sb_index_free(&x);
}

static void write_index(const uint8_t *data, size_t size)
{
    bool sealed = size && (data[0] & 1);
    uint8_t records = size ? data[0] >> 1 & 3 : 0;
    struct sb_buffer b = {0};
    if (sealed) sb_buffer_add(&b, header.data, header.size);
    if (size) sb_buffer_add(&b, data + 1, size - 1);
    if (sealed) {
        char hex[SB_HEX];
        sb_hash_hex(sb_hash_bytes(b.data, b.size), hex);
        sb_buffer_add(&b, "\x82\xa3" "end", 5);
        sb_buffer_add(&b, &records, 1);
        sb_buffer_add(&b, "\xa4xxh3\xd9\x20", 7);
        sb_buffer_add(&b, hex, 32);
    }
    FILE *f = fopen(index_path, "w");
    if (!f || (b.size && fwrite(b.data, 1, b.size, f) != b.size) || fclose(f)) abort();
    free(b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool written;
    struct sb_record rec = {0};
    int64_t n;
    if (!written) {
        write_stream();
        take_header();
    }
    written = sb_quiet = true;
    write_index(data, size);
    struct sb_reader *in = sb_reader_open(stream_path);
    if (!in) abort();
    struct sb_spool *s = sb_spool_indexed(in);
    if (!s) {
        sb_reader_close(in);
        return 0;
    }
    for (uint64_t i = 0; i < sb_spool_count(s); i++)
        if (sb_spool_get(s, i, &rec) == 0 && (sb_get_int(&rec, "n", &n) != 1 || n < 0 || n > 4)) abort();
    sb_record_free(&rec);
    sb_spool_close(s);
    return 0;
}
