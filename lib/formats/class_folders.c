#include "formats/class_folders.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Pictures in one folder share its label. */
static const char *label_for(struct sb_annotated_list *list, const char *path)
{
    const char *end = strrchr(path, '/'), *start = end;
    while (start > path && start[-1] != '/') start--;
    char *name = sb_strndup(start, (size_t)(end - start));
    const char *label = list->labels && !strcmp(list->label[list->labels - 1], name) ? list->label[list->labels - 1]
                                                                                     : sb_annotated_label(list, name);
    free(name);
    return label;
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
        list->other++;
        return 0;
    }
    if (!sb_utf8_valid(e->fts_path, e->fts_pathlen)) return sb_error("%s: the name is not UTF-8", e->fts_path);
    struct sb_annotated *a = sb_annotated_add(list);
    a->path = sb_strdup(e->fts_path);
    a->source = sb_strdup(e->fts_path + root + 1);
    a->label = label_for(list, e->fts_path);
    return 0;
}

int sb_class_folders_list(const char *folder, struct sb_annotated_list *list)
{
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
