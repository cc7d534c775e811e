#include "annotation/coco_annotation.h"

#include <stdlib.h>
#include <string.h>

#include "annotation/annotated.h"

char *sb_coco_id(const json_t *id)
{
    if (json_is_integer(id)) return sb_format("%lld", (long long)json_integer_value(id));
    return json_is_string(id) ? sb_format("\"%s\"", json_string_value(id)) : NULL;
}

static bool read_box(const json_t *box, double out[4])
{
    if (json_array_size(box) != 4) return false;
    for (size_t i = 0; i < 4; i++) {
        const json_t *side = json_array_get(box, i);
        out[i] = json_number_value(side);
        if (!json_is_number(side)) return false;
    }
    return sb_annotated_box_is_one(out);
}

/* A polygon, [[x, y, x, y, ...]], of one piece. true: there is a box around it. */
static bool read_outline(struct sb_coco_annotation *a, const json_t *segmentation, double around[4])
{
    bool one = json_array_size(segmentation) == 1, none = json_is_array(segmentation) && !json_array_size(segmentation);
    const json_t *piece = json_array_get(segmentation, 0);
    a->simplified = segmentation && !none && !one;
    if (!one || json_array_size(piece) == 0 || !sb_shape_read(&a->outline, piece)) return false;
    int rc = sb_shape_set(&a->fields, SB_SHAPE_POLYGON, a->outline.v, a->outline.count, around);
    a->simplified = rc < 0;
    return rc == 1;
}

static void add_attribute(struct sb_coco_annotation *a, const char *key, const json_t *value)
{
    char *text = json_is_string(value) ? sb_strdup(json_string_value(value)) : json_dumps(value, JSON_ENCODE_ANY);
    if (text && !strcmp(key, "track_id")) {
        sb_set_cstr(&a->fields, "track", text);
    } else if (text) {
        sb_gathered_pair(&a->attributes, key, strlen(key), text);
    }
    free(text);
}

/* CVAT's: occluded is one of them. */
static void read_attributes(struct sb_coco_annotation *a, const json_t *attributes)
{
    const char *key;
    const json_t *value;
    sb_gathered_begin(&a->attributes);
    json_object_foreach((json_t *)attributes, key, value)
    {
        if (!strcmp(key, "occluded") && json_is_boolean(value)) {
            sb_set_bool(&a->fields, key, json_is_true(value));
        } else if (!json_is_null(value)) {
            add_attribute(a, key, value);
        }
    }
    sb_gathered_set_map(&a->attributes, &a->fields, "attributes");
}

static void set_id(struct sb_coco_annotation *a, const json_t *id)
{
    char *text = sb_coco_id(id);
    if (text) sb_set_text(&a->fields, "annotation_id", text + (*text == '"'), strlen(text) - (*text == '"' ? 2 : 0));
    free(text);
}

const char *sb_coco_annotation_read(struct sb_coco_annotation *a, const json_t *one)
{
    const json_t *score = json_object_get(one, "score"), *crowd = json_object_get(one, "iscrowd");
    double around[4];
    sb_record_reset(&a->fields);
    if (!json_is_object(one)) return "it is no object";
    bool outlined = read_outline(a, sb_json_get(one, "segmentation"), around);
    bool boxed = read_box(json_object_get(one, "bbox"), a->box);
    if (!boxed && !outlined) return "its bbox is none";
    if (!boxed) memcpy(a->box, around, sizeof around);
    set_id(a, json_object_get(one, "id"));
    if (json_is_number(score)) sb_set_real(&a->fields, "confidence", json_number_value(score));
    if (json_integer_value(crowd) == 1 || json_is_true(crowd)) sb_set_bool(&a->fields, "crowd", true);
    read_attributes(a, json_object_get(one, "attributes"));
    return NULL;
}

void sb_coco_annotation_free(struct sb_coco_annotation *a)
{
    sb_record_free(&a->fields);
    free(a->outline.v);
    sb_gathered_free(&a->attributes);
}
