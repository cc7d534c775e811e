#include "formats/json_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static int read_object(FILE *f, const char *name, json_t **out)
{
    json_error_t why;
    *out = json_loadf(f, 0, &why);
    if (!*out) return sb_error("%s: line %d: %s", name, why.line, why.text);
    if (json_is_object(*out)) return 1;
    json_decref(*out);
    *out = NULL;
    return sb_error("%s: not a JSON object", name);
}

static json_t *load(FILE *f, size_t flags, json_error_t *why)
{
    char mark[3];
    rewind(f);
    if (fread(mark, 1, 3, f) != 3 || memcmp(mark, "\xEF\xBB\xBF", 3)) rewind(f);
    errno = 0;
    return json_loadf(f, flags, why);
}

/* Files with a key twice there are, BIIGLE's example of an iFDO among them; what the first one says is lost. */
int sb_json_read(const char *path, json_t **out)
{
    json_error_t why;
    FILE *f = fopen(path, "rbe");
    *out = NULL;
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    *out = load(f, JSON_REJECT_DUPLICATES, &why);
    if (!*out && json_error_code(&why) == json_error_duplicate_key) {
        sb_warn("%s: line %d: an object has a key twice: the last one counts", path, why.line);
        *out = load(f, 0, &why);
    }
    int broken = ferror(f) ? errno : 0;
    fclose(f);
    if (broken) {
        json_decref(*out);
        *out = NULL;
        return sb_error("%s: %s", path, strerror(broken));
    }
    return *out ? 0 : sb_error("%s: line %d: %s", path, why.line, why.text);
}

int sb_json_first(const char *path)
{
    FILE *f = fopen(path, "rbe");
    int c;
    if (!f) {
        sb_error("%s: %s", path, strerror(errno));
        return -2;
    }
    do {
        c = getc(f);
    } while (isspace(c) || c == 0xef || c == 0xbb || c == 0xbf);
    fclose(f);
    return c;
}

int sb_json_beside(const char *path, const char *name, json_t **out)
{
    const char *slash = strrchr(path, '/');
    char *file = sb_format("%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name);
    FILE *f = fopen(file, "r");
    *out = NULL;
    int rc = f ? read_object(f, file, out) : errno == ENOENT ? 0 : sb_error("%s: %s", file, strerror(errno));
    if (f) fclose(f);
    free(file);
    return rc;
}

const json_t *sb_json_get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}
