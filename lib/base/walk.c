#include "base/walk.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int visit(FTS *tree, FTSENT *e, size_t skip, int (*each)(void *, const char *, const char *), void *arg)
{
    if (e->fts_level > 0 && e->fts_name[0] == '.') {
        fts_set(tree, e, FTS_SKIP);
        return 0;
    }
    switch (e->fts_info) {
    case FTS_F: return each(arg, e->fts_path, e->fts_path + skip);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS: return sb_error("%s: %s", e->fts_path, strerror(e->fts_errno));
    case FTS_DC: return sb_error("%s: a link makes this folder contain itself", e->fts_path);
    default: return 0;
    }
}

int sb_walk(const char *folder, int (*each)(void *arg, const char *path, const char *below), void *arg)
{
    char *root = sb_strdup(folder), *roots[] = {root, NULL};
    size_t n = strlen(root);
    while (n > 1 && root[n - 1] == '/') root[--n] = 0;
    size_t skip = root[n - 1] == '/' ? n : n + 1;
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    int status = tree ? 0 : sb_error("%s: %s", folder, strerror(errno));
    for (FTSENT *e; status == 0 && (errno = 0, e = fts_read(tree));) status = visit(tree, e, skip, each, arg);
    if (status == 0 && errno) status = sb_error("%s: %s", folder, strerror(errno));
    if (tree) fts_close(tree);
    free(root);
    return status;
}
