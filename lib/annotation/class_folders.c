/* Labelled pictures as most people keep them: a folder for each class. */

#include <errno.h>
#include <fts.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "annotation/format.h"
#include "base/utf8.h"

static bool is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png"));
}

static int by_source(const void *a, const void *b)
{
    return strcmp(((const struct sb_annotated *)a)->source, ((const struct sb_annotated *)b)->source);
}

/* Its label is what the folder that holds it is called. */
static void add(struct sb_annotated_list *list, size_t picture, const char *path)
{
    struct sb_record fields = {0};
    const char *end = strrchr(path, '/'), *start = end;
    while (start > path && start[-1] != '/') start--;
    sb_set_text(&fields, "label", start, (size_t)(end - start));
    sb_annotated_add(list, picture, NULL, &fields);
    sb_record_free(&fields);
}

static int visit(FTS *tree, const FTSENT *e, size_t root, struct sb_annotated_list *list)
{
    switch (e->fts_info) {
    case FTS_D:
        if (e->fts_level > 0 && e->fts_name[0] == '.') fts_set(tree, (FTSENT *)e, FTS_SKIP);
        return 0;
    case FTS_DP: return 0;
    case FTS_DC: return sb_error("%s: a link that leads back to a folder above it", e->fts_path);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS: return sb_error("%s: %s", e->fts_path, strerror(e->fts_errno));
    default: break;
    }
    if (e->fts_name[0] == '.' || !is_picture(e->fts_name)) {
        list->files++;
        sb_annotated_skip(list, "not a JPEG or PNG file");
        return 0;
    }
    if (!sb_utf8_valid(e->fts_path, e->fts_pathlen)) return sb_error("%s: the name is not UTF-8", e->fts_path);
    size_t before = list->count;
    int64_t number = sb_annotated_picture(list, e->fts_path + root + 1, NAN);
    if (number < 0) return -1;
    if ((size_t)number < before)
        return sb_error("two pictures would be called '%s': name the folder that holds both folders",
                        e->fts_path + root + 1);
    list->item[number].path = sb_strdup(e->fts_path);
    add(list, (size_t)number, e->fts_path);
    return 0;
}

/* Each JPEG and PNG file (by its name's ending) below the folder, in order of path; its source is the path below it. */
static int read_folders(const char *folder, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    (void)o;
    char *root = realpath(folder, NULL); /* "." and ".." have names too */
    if (!root) return sb_error("%s: %s", folder, strerror(errno));
    char *roots[] = {root, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    size_t first = list->count, length = strlen(root);
    int rc = tree ? 0 : sb_error("%s: %s", folder, strerror(errno));
    for (FTSENT *e; rc == 0 && (errno = 0, e = fts_read(tree));) {
        if (e->fts_level == 0 && e->fts_info != FTS_D && e->fts_info != FTS_DP) {
            rc = sb_error("%s: not a folder", folder);
        } else {
            rc = visit(tree, e, length, list);
        }
    }
    if (rc == 0 && errno) rc = sb_error("%s: %s", folder, strerror(errno));
    if (tree) fts_close(tree);
    if (rc == 0 && list->count > first) qsort(list->item + first, list->count - first, sizeof *list->item, by_source);
    free(root);
    return rc;
}

const struct sb_annotation_format sb_class_folders = {"folders", "FOLDER...", "a folder for each class", "", true,
                                                      true,      read_folders};
