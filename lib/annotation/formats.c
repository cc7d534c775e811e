#include <string.h>

#include "annotation/format.h"

static const struct sb_annotation_format *const formats[] = {
    &sb_class_folders,
    &sb_biigle,
    &sb_coco,
    &sb_fathomnet,
    &sb_ifdo,
    &sb_manifest,
    &sb_vars,
    &sb_viame,
    &sb_voc,
    &sb_yolo,
};

const struct sb_annotation_format *sb_annotation_format_named(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!strcmp(name, formats[i]->name)) return formats[i];
    }
    return NULL;
}

char *sb_annotation_video(const char *path, const struct sb_annotation_options *o)
{
    if (o->source) return sb_strdup(o->source);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return dot && dot > name ? sb_strndup(name, (size_t)(dot - name)) : sb_strdup(name);
}

char *sb_annotation_format_names(const char *between)
{
    struct sb_buffer b = {0};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (i) sb_buffer_add(&b, between, strlen(between));
        sb_buffer_add(&b, formats[i]->name, strlen(formats[i]->name));
    }
    sb_buffer_add(&b, "", 1);
    return (char *)b.data;
}
