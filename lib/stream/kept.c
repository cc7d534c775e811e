#include "stream/kept.h"

#include <inttypes.h>
#include <string.h>

static void to_bytes(uint8_t *bytes, uint64_t word)
{
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(word >> (56 - 8 * i));
}

static uint64_t from_bytes(const uint8_t *bytes)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) word = word << 8 | bytes[i];
    return word;
}

void sb_kept_set_phash(struct sb_record *rec, const uint64_t *hash, int bits)
{
    uint8_t bytes[32];
    for (int i = 0; i < bits / 64; i++) to_bytes(bytes + 8 * i, hash[i]);
    sb_set_bin(rec, "phash", bytes, (size_t)bits / 8);
}

void sb_kept_set_phash_of(struct sb_record *header, bool middle)
{
    sb_set_cstr(header, "phash_of", middle ? "middle" : "whole");
}

void sb_kept_write(struct sb_writer *w, const struct sb_kept *kept, int bits)
{
    struct sb_record rec = {0};
    uint8_t exact[16];
    to_bytes(exact, kept->exact.hi);
    to_bytes(exact + 8, kept->exact.lo);
    sb_set_text(&rec, "id", kept->id, kept->id_size);
    sb_set_bin(&rec, "xxh3", exact, sizeof exact);
    if (bits) sb_kept_set_phash(&rec, kept->hash, bits);
    sb_writer_put(w, &rec);
    sb_record_free(&rec);
}

static int parse(const struct sb_record *rec, int bits, struct sb_kept *kept)
{
    const uint8_t *exact, *hash;
    size_t size, hash_size;
    *kept = (struct sb_kept){0};
    if (sb_get_text(rec, "id", &kept->id, &kept->id_size) <= 0 || sb_get_bin(rec, "xxh3", &exact, &size) <= 0 || size != 16)
        return sb_error("no id and xxh3: not written by --save-hashes");
    kept->exact = (struct sb_hash){from_bytes(exact), from_bytes(exact + 8)};
    int found = sb_get_bin(rec, "phash", &hash, &hash_size);
    if (!bits) return found ? sb_error("its exact hashes are of files, those of --exact are of pixels") : 0;
    if (found <= 0) return sb_error("no perceptual hash: it was written with --exact");
    if (hash_size != 8 && hash_size != 32) return sb_error("a perceptual hash of %zu bytes, not 8 or 32", hash_size);
    if (hash_size < (size_t)bits / 8) return sb_error("its perceptual hashes have 64 bits, %d are wanted", bits);
    for (int i = 0; i < bits / 64; i++) kept->hash[i] = from_bytes(hash + 8 * i);
    return 0;
}

static int check_of(const struct sb_record *header, bool middle)
{
    const char *of;
    size_t size;
    if (sb_get_text(header, "phash_of", &of, &size) <= 0) return sb_error("its header does not say what its hashes are of");
    if ((size == 6 && !memcmp(of, "middle", 6)) == middle) return 0;
    return sb_error("its perceptual hashes were made with%s --crops", middle ? "out" : "");
}

int sb_kept_read(const char *path, int bits, bool middle, void (*each)(void *arg, const struct sb_kept *kept), void *arg)
{
    struct sb_record rec = {0};
    struct sb_kept kept;
    char why[512];
    struct sb_reader *in = sb_reader_open(path);
    int more = in ? sb_reader_next(in, &rec) : -1;
    for (; more > 0; more = sb_reader_next(in, &rec)) {
        if (parse(&rec, bits, &kept) < 0 || (bits && check_of(sb_reader_header(in), middle) < 0)) {
            snprintf(why, sizeof why, "%s", sb_error_message());
            more = sb_error("%s: record %" PRIu64 ": %s", path, sb_reader_count(in), why);
            break;
        }
        each(arg, &kept);
    }
    sb_record_free(&rec);
    if (in) sb_reader_close(in);
    return more;
}
