#include "formats/annotated.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "media/resize.h"

/* ---- the list ---- */

struct sb_annotated *sb_annotated_add(struct sb_annotated_list *list)
{
    SB_GROW(list->item, list->cap, list->count + 1);
    struct sb_annotated *a = &list->item[list->count++];
    memset(a, 0, sizeof *a);
    return a;
}

const char *sb_annotated_label(struct sb_annotated_list *list, const char *name)
{
    SB_GROW(list->label, list->labels_cap, list->labels + 1);
    return list->label[list->labels++] = sb_strdup(name);
}

void sb_annotated_free(struct sb_annotated_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct sb_annotated *a = &list->item[i];
        free(a->path);
        free(a->source);
        free(a->url);
        free(a->group);
        free(a->annotation);
    }
    for (size_t i = 0; i < list->labels; i++) free(list->label[i]);
    free(list->item);
    free(list->label);
    memset(list, 0, sizeof *list);
}

int sb_annotated_group(struct sb_annotated_list *list, const char *regex)
{
    regex_t compiled;
    regmatch_t match[2];
    char why[200];
    int rc = regcomp(&compiled, regex, REG_EXTENDED);
    if (rc != 0) {
        regerror(rc, &compiled, why, sizeof why);
        return sb_error("regular expression '%s': %s", regex, why);
    }
    rc = 0;
    for (size_t i = 0; i < list->count && rc == 0; i++) {
        struct sb_annotated *a = &list->item[i];
        if (regexec(&compiled, a->source, 2, match, 0) != 0) {
            rc = sb_error("'%s' does not match the group's expression '%s'", a->source, regex);
            break;
        }
        regmatch_t m = compiled.re_nsub && match[1].rm_so >= 0 ? match[1] : match[0];
        if (m.rm_so == m.rm_eo) {
            rc = sb_error("'%s': the group's expression '%s' matches nothing of it", a->source, regex);
            break;
        }
        free(a->group);
        a->group = sb_strndup(a->source + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
    }
    regfree(&compiled);
    return rc;
}

/* ---- records ---- */

static struct sb_record *next_record(struct sb_annotated_work *work)
{
    if (work->count == work->cap) {
        size_t old = work->cap;
        SB_GROW(work->record, work->cap, work->count + 1);
        memset(work->record + old, 0, (work->cap - old) * sizeof *work->record);
    }
    struct sb_record *r = &work->record[work->count++];
    sb_record_reset(r);
    return r;
}

static void set_common(struct sb_record *r, const struct sb_annotated *a, const char *label)
{
    sb_set_cstr(r, "source", a->source);
    if (a->group) sb_set_cstr(r, "group", a->group);
    if (label) sb_set_cstr(r, "label", label);
}

/* Names and boxes stand in the same order; a box without a name has "". */
static void set_annotations(struct sb_record *r, const struct sb_annotated *a)
{
    struct sb_buffer labels = {0};
    msgpack_packer pk;
    struct sb_tensor boxes = {SB_F32, 2, {(int64_t)a->count, 4}, NULL};
    if (a->count == 0) return;
    sb_set_tensor_space(r, "boxes", &boxes);
    msgpack_packer_init(&pk, &labels, sb_buffer_write);
    msgpack_pack_array(&pk, a->count);
    bool named = false;
    for (size_t i = 0; i < a->count; i++) {
        const char *name = a->annotation[i].label ? a->annotation[i].label : "";
        named = named || *name;
        msgpack_pack_str(&pk, strlen(name));
        msgpack_pack_str_body(&pk, name, strlen(name));
        for (int k = 0; k < 4; k++) ((float *)boxes.data)[i * 4 + (size_t)k] = (float)a->annotation[i].box[k];
    }
    if (named) sb_set_packed(r, "labels", labels.data, labels.size);
    free(labels.data);
}

static int whole_record(const struct sb_annotated *a, const enum sb_image_encoding *encoding,
                        struct sb_annotated_work *work)
{
    char id[SB_HEX];
    struct sb_record *r = next_record(work);
    sb_hash_id(a->source, 0, NULL, id);
    sb_set_cstr(r, "id", id);
    set_common(r, a, a->label);
    set_annotations(r, a);
    if (encoding) return sb_image_set(r, "image", &work->picture, *encoding, &work->scratch);
    sb_set_bin(r, "image", work->file.data, work->file.size);
    return 0;
}

/* The pixels that a box touches, as far as the picture goes. false: none. */
static bool inside(const struct sb_picture *p, const double box[4], float clipped[4], int pixel[4])
{
    double left = fmax(box[0], 0), top = fmax(box[1], 0);
    double right = fmin(box[0] + box[2], p->width), bottom = fmin(box[1] + box[3], p->height);
    if (!(right > left && bottom > top)) return false;
    clipped[0] = (float)left;
    clipped[1] = (float)top;
    clipped[2] = (float)(right - left);
    clipped[3] = (float)(bottom - top);
    pixel[0] = (int)floor(left);
    pixel[1] = (int)floor(top);
    pixel[2] = (int)ceil(right) - pixel[0];
    pixel[3] = (int)ceil(bottom) - pixel[1];
    return true;
}

static int crop_record(const struct sb_annotated *a, const struct sb_annotation *one,
                       const enum sb_image_encoding *encoding, struct sb_annotated_work *work)
{
    char id[SB_HEX], parent[SB_HEX];
    float box[4];
    int pixel[4];
    if (!inside(&work->picture, one->box, box, pixel)) {
        work->outside++;
        return 0;
    }
    if (sb_crop(&work->picture, &work->crop, pixel[0], pixel[1], pixel[2], pixel[3])) return -1;
    struct sb_record *r = next_record(work);
    struct sb_tensor t = {SB_F32, 1, {4}, box};
    sb_hash_id(a->source, 0, box, id);
    sb_hash_id(a->source, 0, NULL, parent);
    sb_set_cstr(r, "id", id);
    sb_set_cstr(r, "parent", parent);
    set_common(r, a, one->label);
    sb_set_tensor(r, "box", &t);
    return sb_image_set(r, "image", &work->crop, encoding ? *encoding : SB_IMAGE_PNG, &work->scratch);
}

int sb_annotated_records(const struct sb_annotated *a, bool whole, const enum sb_image_encoding *encoding,
                         struct sb_annotated_work *work)
{
    work->count = work->outside = 0;
    if (sb_picture_load_bytes(&work->picture, a->path, &work->file)) return -1;
    if (whole) return whole_record(a, encoding, work);
    for (size_t i = 0; i < a->count; i++) {
        if (crop_record(a, &a->annotation[i], encoding, work)) return -1;
    }
    return 0;
}

void sb_annotated_work_free(struct sb_annotated_work *work)
{
    for (size_t i = 0; i < work->cap; i++) sb_record_free(&work->record[i]);
    free(work->record);
    sb_picture_free(&work->picture);
    sb_picture_free(&work->crop);
    free(work->file.data);
    free(work->scratch.data);
    memset(work, 0, sizeof *work);
}
