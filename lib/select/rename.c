#include "select/rename.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/wire.h"

/* A list that is written anew while the old one is read. */
struct list {
    const uint8_t *at; /* what is to be read */
    size_t left;
    uint64_t items; /* still to be read */
    struct sb_buffer out;
    uint64_t kept;
    bool changed;
};

static int open_list(const struct sb_record *rec, const char *key, const char *what, struct list *l)
{
    struct sb_wire w;
    const struct sb_field *f = sb_record_find(rec, key);
    memset(l, 0, sizeof *l);
    if (!f || sb_wire_head(f->value, f->size, &w) != 1 || w.type == SB_WIRE_NIL) return 0;
    if (w.type != SB_WIRE_ARRAY) return sb_error("field '%s' is %s, not a list of %s", key, sb_wire_name(w.type), what);
    *l = (struct list){.at = f->value + w.head, .left = f->size - w.head, .items = w.size};
    return 1;
}

/* The next item; NULL at the end. */
static const uint8_t *next_item(struct list *l, size_t *size)
{
    const uint8_t *item = l->at;
    if (!l->items || (*size = sb_wire_value(l->at, l->left)) == 0) return NULL;
    l->at += *size;
    l->left -= *size;
    l->items--;
    return item;
}

static void add_text(struct list *l, const char *text)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, &l->out, sb_buffer_write);
    msgpack_pack_str(&pk, strlen(text));
    msgpack_pack_str_body(&pk, text, strlen(text));
}

/* The new list into the record where it is another one. */
static void close_list(struct sb_record *rec, const char *key, struct list *l)
{
    if (l->changed && l->kept) sb_set_list(rec, key, l->kept, l->out.data, l->out.size);
    if (l->changed && !l->kept) sb_record_remove(rec, key);
    free(l->out.data);
}

static int rename_label(struct sb_record *rec, struct sb_label_map *map)
{
    const char *label;
    size_t size;
    int found = sb_get_text(rec, "label", &label, &size);
    const struct sb_label_target *to = found > 0 ? sb_label_map_find(map, label, size) : NULL;
    if (!to) return found < 0 ? -1 : 0;
    bool same = strlen(to->name) == size && !memcmp(to->name, label, size);
    if (to->aphia_id && *to->name)
        sb_set_int(rec, "aphia_id", to->aphia_id);
    else if (!same)
        sb_record_remove(rec, "aphia_id"); /* it was the old name's */
    if (!same) sb_record_remove(rec, "label_path");
    if (!*to->name)
        sb_record_remove(rec, "label");
    else if (!same)
        sb_set_cstr(rec, "label", to->name);
    return 0;
}

static int rename_list(struct sb_record *rec, struct sb_label_map *map)
{
    struct list l;
    struct sb_wire w;
    size_t size;
    const uint8_t *item;
    bool parallel = sb_record_find(rec, "boxes");
    int rc = open_list(rec, "labels", "str", &l);
    while (rc > 0 && (item = next_item(&l, &size))) {
        if (sb_wire_head(item, size, &w) != 1 || w.type != SB_WIRE_STR) {
            rc = sb_error("field 'labels' is not a list of str");
            break;
        }
        const struct sb_label_target *to = sb_label_map_find(map, (const char *)item + w.head, w.size);
        if (to && !*to->name && !parallel) {
            l.changed = true;
            continue;
        }
        if (to)
            add_text(&l, to->name);
        else
            sb_buffer_add(&l.out, item, size);
        l.changed |= to != NULL;
        l.kept++;
    }
    if (rc > 0)
        close_list(rec, "labels", &l);
    else
        free(l.out.data);
    return rc < 0 ? -1 : 0;
}

static int rename_predicted(struct sb_record *rec, struct sb_label_map *map)
{
    struct list l;
    struct sb_wire pair, name;
    size_t size;
    const uint8_t *item;
    int rc = open_list(rec, "predicted", "[label, probability]", &l);
    while (rc > 0 && (item = next_item(&l, &size))) {
        const uint8_t *at = item;
        if (sb_wire_head(at, size, &pair) != 1 || pair.type != SB_WIRE_ARRAY || pair.size != 2 ||
            sb_wire_head(at += pair.head, size - pair.head, &name) != 1 || name.type != SB_WIRE_STR) {
            rc = sb_error("field 'predicted' is not a list of [label, probability]");
            break;
        }
        const char *text = (const char *)at + name.head;
        const struct sb_label_target *to = sb_label_map_find(map, text, name.size);
        l.changed |= to != NULL;
        if (to && !*to->name) continue;
        sb_buffer_add(&l.out, item, pair.head);
        if (to)
            add_text(&l, to->name);
        else
            sb_buffer_add(&l.out, at, name.head + name.size);
        const uint8_t *rest = at + name.head + name.size;
        sb_buffer_add(&l.out, rest, (size_t)(item + size - rest));
        l.kept++;
    }
    if (rc > 0)
        close_list(rec, "predicted", &l);
    else
        free(l.out.data);
    return rc < 0 ? -1 : 0;
}

int sb_rename_labels(struct sb_record *rec, struct sb_label_map *map)
{
    bool before = sb_record_find(rec, "label") || sb_record_find(rec, "labels");
    if (rename_label(rec, map) || rename_list(rec, map) || rename_predicted(rec, map)) return -1;
    if (before && !sb_record_find(rec, "label") && !sb_record_find(rec, "labels")) {
        sb_record_remove(rec, "label_status");
        sb_record_remove(rec, "labelled_by");
    }
    return 0;
}
