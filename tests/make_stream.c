/* Writes small deterministic streams for tests: make_stream [-n RECORDS] [-f] [-o FILE] [--size BYTES] [--sleep MS].
 * Every kind of field stands in them, so do msgpack types that no program uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/rng.h"
#include "stream/stream.h"

static int64_t records = 5, payload = 48, pause_ms, fail_after = -1;
static const char *output;

static void set_nested(struct sb_record *rec, uint32_t i)
{
    /* {"deep": [nil, true, -1, {"x": ext(7, 4 bytes)}], 3: bin} */
    const uint8_t bytes[] = {0x82, 0xa4, 'd',  'e', 'e', 'p', 0x94,       0xc0, 0xc3, 0xff, 0x81, 0xa1,
                             'x',  0xd6, 0x07, 1,   2,   3,   (uint8_t)i, 0x03, 0xc4, 1,    0xfe};
    sb_set_packed(rec, "nested", bytes, sizeof bytes);
}

static void set_arrays(struct sb_record *rec, struct sb_rng *rng, uint32_t i)
{
    struct sb_tensor image = {.dtype = SB_U8, .ndim = 3, .shape = {4, payload / 12 + (i % 2), 3}};
    struct sb_tensor box = {.dtype = SB_F32, .ndim = 1, .shape = {4}};
    struct sb_tensor half = {.dtype = SB_BF16, .ndim = 2, .shape = {1, 3}};
    sb_set_tensor_space(rec, "image", &image);
    for (size_t k = 0; k < sb_tensor_bytes(&image); k++) ((uint8_t *)image.data)[k] = (uint8_t)sb_rng_u32(rng);
    sb_set_tensor_space(rec, "box", &box);
    for (int k = 0; k < 4; k++) ((float *)box.data)[k] = (float)(i + (uint32_t)k) / 2;
    sb_set_tensor_space(rec, "tensor", &half);
    for (int k = 0; k < 3; k++) ((uint16_t *)half.data)[k] = sb_f32_to_bf16((float)k - 1);
}

static void make_record(struct sb_record *rec, struct sb_rng *rng, uint32_t i)
{
    static const char *const label[] = {"fish", "jellyfish", "urchin"};
    char id[SB_HEX];
    sb_record_reset(rec);
    sb_hash_id(i % 2 ? "b.mp4" : "a.mp4", (int64_t)i * 1000000000, NULL, id);
    sb_set_cstr(rec, "id", id);
    sb_set_cstr(rec, "source", i % 2 ? "b.mp4" : "a.mp4");
    sb_set_real(rec, "pts", i / 2.0);
    sb_set_real(rec, "time", 1700000000.0 + i);
    set_arrays(rec, rng, i);
    if (i % 4 != 3) sb_set_cstr(rec, "label", label[i % 3]);
    sb_set_int(rec, "cluster", (int64_t)i - 2);
    sb_set_bool(rec, "odd", i % 2);
    sb_set_f32(rec, "distance", (float)i / 4);
    sb_set_bin(rec, "phash", "\x00\x01\x02\x03\x04\x05\x06\x07", 8);
    sb_set_packed(rec, "nothing", "\xc0", 1);
    set_nested(rec, i);
}

int main(int argc, char **argv)
{
    bool foreign = false;
    const struct sb_opt opts[] = {
        {'n', "records", "N", SB_INT, &records, 0, "records (default 5)", 0, 1e9},
        {'f', "foreign", NULL, SB_FLAG, &foreign, 0, "no header and no trailer", 0, 0},
        {0, "size", "BYTES", SB_INT, &payload, 0, "bytes of each image (default 48)", 0, 1e8},
        {0, "sleep", "MS", SB_INT, &pause_ms, 0, "wait after each record", 0, 1e6},
        {0, "fail-after", "N", SB_INT, &fail_after, 0, "be killed after N records", -1, 1e9},
        SB_OPT_OUTPUT(&output),
        SB_OPT_END,
    };
    const struct sb_tool tool = {"make_stream", "", "Writes a stream for tests.", opts, false};
    struct sb_args args;
    struct sb_record rec = {0};
    struct sb_rng rng;
    sb_opt_parse(&tool, argc, argv, &args);
    sb_rng_init(&rng, 1, 0);
    struct sb_writer *w = sb_writer_open(output);
    if (!foreign) sb_writer_header(w, NULL, &tool, &args);
    for (uint32_t i = 0; i < records; i++) {
        make_record(&rec, &rng, i);
        sb_writer_put(w, &rec);
        if (pause_ms || fail_after >= 0) sb_writer_flush(w);
        if (pause_ms) usleep((useconds_t)pause_ms * 1000);
        if ((int64_t)i + 1 == fail_after) abort();
    }
    sb_record_free(&rec);
    if (foreign) {
        sb_writer_flush(w);
        _exit(0);
    }
    sb_writer_close(w);
    return 0;
}
