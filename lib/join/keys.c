#include "join/keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int sb_join_keys_parse(struct sb_join_keys *keys, const char *on)
{
    sb_texts_split(on, ',', &keys->name);
    if (keys->name.count == 0) return sb_error("no field is named");
    for (size_t i = 0; i < keys->name.count; i++) {
        const char *name = keys->name.text[i];
        for (size_t k = 0; k < i; k++)
            if (!strcmp(keys->name.text[k], name)) return sb_error("'%s' is named twice", name);
        if (strcmp(name, "time") != 0 && strcmp(name, "pts") != 0) continue;
        if (keys->moment) return sb_error("time or pts, not both");
        keys->moment = name;
    }
    return 0;
}

bool sb_join_keys_have(const struct sb_join_keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->name.count; i++)
        if (!strcmp(keys->name.text[i], name)) return true;
    return false;
}

void sb_join_keys_free(struct sb_join_keys *keys)
{
    for (size_t i = 0; i < keys->name.count; i++) free((char *)keys->name.text[i]);
    free(keys->name.text);
    free(keys->texts.data);
    sb_cell_free(&keys->cell);
    memset(keys, 0, sizeof *keys);
}

int sb_join_key_of(struct sb_join_keys *keys, struct sb_record *rec, struct sb_join_key *key)
{
    key->moment = 0;
    keys->texts.size = 0;
    for (size_t i = 0; i < keys->name.count; i++) {
        const char *name = keys->name.text[i];
        bool moment = keys->moment == name;
        int rc = moment ? sb_get_real(rec, name, &key->moment) : sb_cell_text(&keys->cell, rec, name);
        if (rc <= 0) return rc;
        if (moment && !isfinite(key->moment)) return 0;
        if (moment) continue;
        sb_buffer_add(&keys->texts, &keys->cell.size, sizeof keys->cell.size); /* tells "a", "bc" from "ab", "c" */
        sb_buffer_add(&keys->texts, keys->cell.text, keys->cell.size);
    }
    key->texts = sb_hash_bytes(keys->texts.data ? keys->texts.data : (const uint8_t *)"", keys->texts.size);
    return 1;
}
