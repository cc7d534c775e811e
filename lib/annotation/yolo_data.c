#include "annotation/yolo_data.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/labels.h"
#include "formats/names.h"
#include "formats/yaml_file.h"

enum { CLASSES_MOST = 1 << 20 };

static const char *const splits[SB_YOLO_SPLITS] = {"train", "val", "test"};

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && !strcasecmp(name + n - m, ending);
}

/* ---- names ---- */

static void add_name(struct sb_texts *names, size_t at, const char *name)
{
    while (names->count <= at) {
        SB_GROW(names->text, names->cap, names->count + 1);
        names->text[names->count++] = NULL;
    }
    names->text[at] = sb_strdup(name);
}

static int read_names(struct sb_yolo_data *d, const json_t *names, const char *path)
{
    const char *key;
    const json_t *name;
    size_t i;
    json_array_foreach(names, i, name)
    {
        if (!json_is_string(name)) return sb_error("%s: class %zu has a name that is no text: quote it", path, i);
        add_name(&d->names, i, json_string_value(name));
    }
    json_object_foreach((json_t *)names, key, name)
    {
        char *end;
        unsigned long number = strtoul(key, &end, 10);
        if (*key < '0' || *key > '9' || *end || number > CLASSES_MOST)
            return sb_error("%s: its names have the key '%.60s', which is no class's number", path, key);
        if (!json_is_string(name)) return sb_error("%s: class %lu has a name that is no text: quote it", path, number);
        if (number < d->names.count && d->names.text[number])
            return sb_error("%s: class %lu has two names", path, number);
        add_name(&d->names, number, json_string_value(name));
    }
    if (d->names.count == 0) return sb_error("%s: its 'names' is no list of names, nor numbers with names", path);
    d->names_from = sb_strdup(path);
    return 0;
}

static bool same_names(const struct sb_texts *a, const struct sb_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) same = a->text[i] && !strcmp(a->text[i], b->text[i]);
    return same;
}

static void names_free(struct sb_texts *names)
{
    for (size_t i = 0; i < names->count; i++) free((char *)names->text[i]);
    free(names->text);
    memset(names, 0, sizeof *names);
}

int sb_yolo_data_names(struct sb_yolo_data *d, const char *path)
{
    struct sb_texts names = {0};
    if (sb_labels_read(&names, path)) return -1;
    if (!d->names_from) {
        d->names = names;
        d->names_from = sb_strdup(path);
        return 0;
    }
    bool same = same_names(&d->names, &names);
    names_free(&names);
    return same ? 0
                : sb_error("%s: other names of classes than in %s: import the folders one by one", path, d->names_from);
}

/* ---- what pictures are for ---- */

/* The longest end of a path that is there below the root; NULL: none is. Other machines have other roots. */
static char *find_below(const struct sb_yolo_data *d, const char *path)
{
    char *plain = sb_strdup(path), *found = NULL;
    for (char *c = plain; *c; c++)
        if (*c == '\\') *c = '/';
    size_t size = strlen(plain);
    while (size > 0 && plain[size - 1] == '/') plain[--size] = 0;
    const char *end = plain;
    if (!strcmp(plain, ".") || !*plain) found = sb_strdup("");
    while (!found && end) {
        while (*end == '/' || !strncmp(end, "./", 2) || !strncmp(end, "../", 3)) end = strchr(end, '/') + 1;
        char *there = sb_name_join(d->root, end);
        if (access(there, F_OK) == 0) found = sb_strdup(end);
        free(there);
        end = strchr(end, '/');
    }
    free(plain);
    return found;
}

static void add_listed(struct sb_yolo_data *d, const char *below, int split)
{
    size_t before = d->listed.count;
    uint32_t number = sb_dictionary_add(&d->listed, below, strlen(below));
    SB_GROW(d->listed_for, d->listed_cap, d->listed.count);
    if (d->listed.count > before) d->listed_for[number] = 0;
    d->listed_for[number] |= (unsigned char)(1 << split);
}

/* Its lines are paths, also ones from where the list lies. */
static int read_list(struct sb_yolo_data *d, const char *list, int split)
{
    struct sb_texts lines = {0};
    char *path = sb_name_join(d->root, list);
    const char *slash = strrchr(list, '/');
    int rc = sb_labels_read(&lines, path);
    for (size_t i = 0; rc == 0 && i < lines.count; i++) {
        char *from_list = sb_format("%.*s%s", slash ? (int)(slash - list) + 1 : 0, list, lines.text[i]);
        char *below = find_below(d, from_list);
        if (below) add_listed(d, below, split);
        free(from_list);
        free(below);
    }
    names_free(&lines);
    free(path);
    return rc;
}

static int read_place(struct sb_yolo_data *d, const json_t *where, const char *base, int split, const char *path)
{
    const char *text = json_string_value(where);
    if (!text) return sb_error("%s: its '%s' is neither a path nor a list of them", path, splits[split]);
    char *full = sb_format("%s/%s", base ? base : "", text), *below = find_below(d, *text == '/' ? text : full);
    char *there = below ? sb_name_join(d->root, below) : NULL;
    int rc = 0;
    if (!below) {
        sb_warn("%s: the pictures for '%s' are not there: %s", path, splits[split], text);
    } else if (is_folder(there)) {
        SB_GROW(d->place, d->places_cap, d->places + 1);
        d->place[d->places++] = (struct sb_yolo_place){sb_strdup(below), split};
    } else {
        rc = read_list(d, below, split);
    }
    free(full);
    free(below);
    free(there);
    return rc;
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return n == 0 || (!strncmp(path, folder, n) && path[n] == '/');
}

const char *sb_yolo_data_split(const struct sb_yolo_data *d, const char *below)
{
    int64_t number = sb_dictionary_find(&d->listed, below, strlen(below));
    unsigned mask = number >= 0 ? d->listed_for[number] : 0;
    for (size_t i = 0; i < d->places; i++)
        if (is_below(below, d->place[i].folder)) mask |= 1u << d->place[i].split;
    for (int i = 0; i < SB_YOLO_SPLITS; i++)
        if (mask == 1u << i) return splits[i];
    return NULL;
}

/* ---- the file ---- */

static int read_data(struct sb_yolo_data *d, const json_t *root, const char *path)
{
    const char *base = json_string_value(json_object_get(root, "path"));
    const json_t *names = json_object_get(root, "names");
    if (!json_is_object(root)) return sb_error("%s: no keys with values", path);
    if (names && read_names(d, names, path)) return -1;
    d->keypoints = json_object_get(root, "kpt_shape") != NULL;
    for (int i = 0; i < SB_YOLO_SPLITS; i++) {
        const json_t *where = json_object_get(root, splits[i]), *one;
        size_t k;
        if (!where || json_is_null(where)) continue;
        if (!json_is_array(where) && read_place(d, where, base, i, path)) return -1;
        json_array_foreach(where, k, one)
        {
            if (read_place(d, one, base, i, path)) return -1;
        }
    }
    return 0;
}

/* The folder's data.yaml; NULL if there is none, or several that could be it. */
static char *find_yaml(const char *folder)
{
    char *found = NULL;
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        bool usual = !strcmp(e->d_name, "data.yaml") || !strcmp(e->d_name, "dataset.yaml");
        if (e->d_name[0] == '.' || (!ends_in(e->d_name, ".yaml") && !ends_in(e->d_name, ".yml"))) continue;
        if (count < 0 && (!usual || !strcmp(e->d_name, "dataset.yaml"))) continue;
        free(found);
        found = sb_name_join(folder, e->d_name);
        count = usual ? -1 : count + 1;
    }
    if (dir) closedir(dir);
    if (count <= 1) return found;
    free(found);
    return NULL;
}

/* The folder that a data.yaml is about: `path`, where that is here, or the one that it lies in. */
static char *root_of(const json_t *root, const char *yaml)
{
    const char *base = json_string_value(json_object_get(root, "path")), *slash = strrchr(yaml, '/');
    char *beside = slash ? sb_strndup(yaml, (size_t)(slash - yaml) + (slash == yaml)) : sb_strdup(".");
    char *there = base ? *base == '/' ? sb_strdup(base) : sb_name_join(beside, base) : NULL;
    if (there && is_folder(there)) {
        free(beside);
        return there;
    }
    free(there);
    return beside;
}

int sb_yolo_data_read(struct sb_yolo_data *d, const char *path)
{
    struct stat st;
    json_t *root = NULL;
    memset(d, 0, sizeof *d);
    if (stat(path, &st)) return sb_error("%s: %s", path, strerror(errno));
    bool folder = S_ISDIR(st.st_mode);
    char *yaml = folder ? find_yaml(path) : sb_strdup(path);
    int rc = yaml ? sb_yaml_read(yaml, &root) : 0;
    d->root = folder || rc ? sb_strdup(path) : root_of(root, path);
    if (rc == 0 && yaml) rc = read_data(d, root, yaml);
    json_decref(root);
    free(yaml);
    return rc;
}

void sb_yolo_data_free(struct sb_yolo_data *d)
{
    free(d->root);
    free(d->names_from);
    names_free(&d->names);
    for (size_t i = 0; i < d->places; i++) free(d->place[i].folder);
    free(d->place);
    free(d->listed_for);
    sb_dictionary_free(&d->listed);
    memset(d, 0, sizeof *d);
}
