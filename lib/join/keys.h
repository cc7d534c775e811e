/* What records, and the rows of a table, are matched by: fields that must say the same, and perhaps a moment. */
#ifndef SB_JOIN_KEYS_H
#define SB_JOIN_KEYS_H

#include "base/hash.h"
#include "base/opt.h"
#include "formats/cell.h"

struct sb_join_keys {
    struct sb_texts name;
    const char *moment; /* "time" or "pts", if it is one of them; else NULL */
    struct sb_cell cell;
    struct sb_buffer texts;
};

struct sb_join_key {
    struct sb_hash texts; /* of what the fields say, as a table's cells do */
    double moment;        /* s; 0 where there is none */
};

/* "source,time": -1 with a message for what can't be matched by. A zeroed one becomes valid. */
int sb_join_keys_parse(struct sb_join_keys *keys, const char *on);
bool sb_join_keys_have(const struct sb_join_keys *keys, const char *name);
void sb_join_keys_free(struct sb_join_keys *keys);

/* 1 with the key; 0 if the record lacks a field; -1 with a message. */
int sb_join_key_of(struct sb_join_keys *keys, struct sb_record *rec, struct sb_join_key *key);

#endif
