#include "select/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/err.h"
#include "base/opt.h"

static void add(struct sb_parts *p, char *name, double share)
{
    size_t cap = p->cap;
    SB_GROW(p->name, cap, p->count + 1);
    SB_GROW(p->share, p->cap, p->count + 1);
    p->name[p->count] = name;
    p->share[p->count++] = share;
}

static int parse_one(struct sb_parts *p, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1]) return sb_error("'%s' is not NAME=WEIGHT", text);
    char *end;
    double weight = strtod(equals + 1, &end);
    if (*end || !isfinite(weight) || weight <= 0) return sb_error("'%s': the weight must be a number above 0", text);
    if (sb_parts_find(p, text, (size_t)(equals - text)) != SIZE_MAX)
        return sb_error("'%s': the part is named twice", text);
    add(p, sb_strndup(text, (size_t)(equals - text)), weight);
    return 0;
}

int sb_parts_parse(struct sb_parts *p, const char *text)
{
    struct sb_texts each = {0};
    int rc = 0;
    sb_texts_split(text, ',', &each);
    for (size_t i = 0; i < each.count && !rc; i++) rc = parse_one(p, each.text[i]);
    for (size_t i = 0; i < each.count; i++) free((char *)each.text[i]);
    free(each.text);
    if (rc) return rc;
    if (!p->count) return sb_error("no part is named");

    double sum = 0;
    for (size_t i = 0; i < p->count; i++) sum += p->share[i];
    for (size_t i = 0; i < p->count; i++) p->share[i] /= sum;
    return 0;
}

void sb_parts_folds(struct sb_parts *p, int k)
{
    for (int i = 0; i < k; i++) add(p, sb_format("%d", i), 1.0 / k);
}

size_t sb_parts_find(const struct sb_parts *p, const char *name, size_t size)
{
    for (size_t i = 0; i < p->count; i++)
        if (strlen(p->name[i]) == size && !memcmp(p->name[i], name, size)) return i;
    return SIZE_MAX;
}

void sb_parts_free(struct sb_parts *p)
{
    for (size_t i = 0; i < p->count; i++) free(p->name[i]);
    free(p->name);
    free(p->share);
    memset(p, 0, sizeof *p);
}

struct sb_hash sb_split_hash(const char *group, size_t size, uint64_t seed)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(group, size, seed);
    return (struct sb_hash){h.high64, h.low64};
}

double sb_split_uniform(struct sb_hash group, enum sb_draw draw)
{
    return (double)((draw == SB_DRAW_PART ? group.hi : group.lo) >> 11) * 0x1p-53;
}

size_t sb_split_pick(const struct sb_parts *p, struct sb_hash group, enum sb_draw draw)
{
    double u = sb_split_uniform(group, draw), upto = 0;
    for (size_t i = 0; i + 1 < p->count; i++) {
        upto += p->share[i];
        if (u < upto) return i;
    }
    return p->count - 1;
}
