/* Finding footage. See inputs.h. */
#include "media/inputs.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/walk.h"
#include "media/codec.h"

/* In a folder a file counts as video by its name: to open every file with every demuxer would take long and find
 * videos in text. The last four are pictures that FFmpeg reads. */
static const char *const endings[] = {
    "mp4",  "m4v", "mov",  "mkv", "webm", "avi", "mpg", "mpeg", "m2v",   "ts",   "mts",  "m2ts",
    "mxf",  "wmv", "asf",  "flv", "ogv",  "3gp", "vob", "dv",   "mjpeg", "mjpg", "h264", "264",
    "h265", "265", "hevc", "ivf", "y4m",  "av1", "tif", "tiff", "bmp",   "webp", NULL,
};

static const char *ending(const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    return dot && (!slash || dot > slash) ? dot + 1 : "";
}

static bool named_as_footage(const char *path)
{
    for (int i = 0; endings[i]; i++)
        if (strcasecmp(ending(path), endings[i]) == 0) return true;
    return false;
}

/* A run of JPEGs in one file is a video, though it begins as a picture does. */
static bool is_picture(const char *path)
{
    uint8_t head[8];
    struct stat st;
    if (strcasecmp(ending(path), "mjpeg") == 0 || strcasecmp(ending(path), "mjpg") == 0) return false;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) return false; /* reading a pipe would eat its start */
    FILE *f = fopen(path, "rbe");
    if (!f) return false;
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return sb_is_jpeg(head, n) || sb_is_png(head, n);
}

static void add(struct sb_inputs *in, const char *path, const char *source, bool picture)
{
    SB_GROW(in->item, in->cap, in->count + 1);
    in->item[in->count++] = (struct sb_input){.path = sb_strdup(path), .source = sb_strdup(source), .picture = picture};
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* The part of path under root, both with links resolved; the caller frees it. NULL with a message if not there. */
static char *below_root(const char *root, const char *path)
{
    char *r = realpath(root, NULL), *p = realpath(path, NULL), *below = NULL;
    size_t n = r ? strlen(r) : 0;
    if (n == 1) n = 0; /* the root of all */
    if (!r || !p)
        sb_error("%s: %s", r ? path : root, strerror(errno));
    else if (strncmp(r, p, n) != 0 || p[n] != '/')
        sb_error("%s is not below %s", path, root);
    else
        below = sb_strdup(p + n + 1);
    free(r);
    free(p);
    return below;
}

struct folder {
    struct sb_inputs *in;
    const char *root;
};

static int found(void *arg, const char *path, const char *below)
{
    const struct folder *folder = arg;
    bool picture = is_picture(path);
    if (!picture && !named_as_footage(path)) {
        folder->in->other++;
        return 0;
    }
    char *source = folder->root ? below_root(folder->root, path) : sb_strdup(below);
    if (!source) return -1;
    add(folder->in, path, source, picture);
    free(source);
    return 0;
}

int sb_inputs_add(struct sb_inputs *in, const char *operand, const char *root, const char *source)
{
    struct stat st;
    if (strcmp(operand, "-") == 0) {
        add(in, "/dev/stdin", source ? source : "standard input", false);
        return 0;
    }
    if (strstr(operand, "://")) {
        const char *name = base_name(operand), *at = strrchr(name, '@'); /* user:password@host, where no path follows */
        add(in, operand, source ? source : at ? at + 1 : name, false);
        return 0;
    }
    if (stat(operand, &st) < 0) return sb_error("%s: %s", operand, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        if (source) return sb_error("%s is a folder: one source can't name all that is in it", operand);
        struct folder folder = {in, root};
        size_t before = in->count;
        if (sb_walk(operand, found, &folder) < 0) return -1;
        return in->count > before ? 0 : sb_error("%s: no video and no picture in this folder", operand);
    }
    char *below = source ? sb_strdup(source) : root ? below_root(root, operand) : sb_strdup(base_name(operand));
    if (!below) return -1;
    add(in, operand, below, is_picture(operand));
    free(below);
    return 0;
}

/* Names end with a NUL; the last may lack it. */
int sb_inputs_add_list(struct sb_inputs *in, FILE *list, const char *root)
{
    char *name = NULL;
    size_t cap = 0;
    ssize_t n;
    int rc = 0;
    while (rc == 0 && (n = getdelim(&name, &cap, 0, list)) > 0) {
        if (strcmp(name, "-") == 0)
            rc = sb_error("-: standard input is the list of inputs");
        else if (strlen(name) < (size_t)n - (name[n - 1] == 0))
            rc = sb_error("the list of inputs is broken");
        else
            rc = sb_inputs_add(in, name, root, NULL);
    }
    if (rc == 0 && ferror(list)) rc = sb_error("the list of inputs can't be read");
    free(name);
    return rc;
}

void sb_inputs_free(struct sb_inputs *in)
{
    for (size_t i = 0; i < in->count; i++) {
        free(in->item[i].path);
        free(in->item[i].source);
    }
    free(in->item);
    *in = (struct sb_inputs){0};
}
