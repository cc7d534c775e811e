/* Pascal VOC's XML ("The PASCAL Visual Object Classes Challenge 2007, Development Kit"), a file a picture, as labelImg,
 * CVAT, Roboflow, LabelMe and fathomnet-generate write it too.
 *
 * Whose numbers count from where, the file's <database> tells: those of the challenge name the first and the last pixel
 * of a box, from 1; fathomnet-generate adds 1 to both edges; all others give the edges, from 0. Nothing outside of the
 * file is read, and one that declares entities is refused. */

#include <errno.h>
#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "annotation/format.h"
#include "annotation/shape.h"
#include "base/walk.h"
#include "formats/names.h"
#include "media/image.h"

enum { CHUNK = 1 << 16, DEEPEST = 32, LONGEST_TEXT = 1 << 16, POINTS_MOST = 1 << 20 };
enum { XMIN, YMIN, XMAX, YMAX };
enum { DIFFICULT, TRUNCATED, OCCLUDED, DELETED, FLAGS };

static const char *const flag_fields[] = {"difficult", "truncated", "occluded"};

struct object {
    char *name, *track;
    double edge[4], confidence; /* NAN: not said */
    int flag[FLAGS];            /* -1: not said */
    struct sb_shape_numbers polygon;
    struct sb_buffer attributes; /* packed keys and values */
    size_t attribute_count;
};

struct reading {
    const struct sb_annotation_options *options;
    struct sb_annotated_list *list;
    const char *path, *below; /* the file, and the folder of its that is below the one that was named: "train/" */
    XML_Parser parser;
    struct sb_buffer element, text; /* "annotation/object/name", and what stands in it */
    int depth;
    bool failed;
    char *filename, *database, *attribute;
    double width, height;
    bool verified;
    struct object *object;
    size_t objects, cap;
    struct sb_record fields;
};

static void fail(struct reading *r, const char *why)
{
    if (!r->failed) sb_error("%s: line %lu: %s", r->path, (unsigned long)XML_GetCurrentLineNumber(r->parser), why);
    r->failed = true;
    XML_StopParser(r->parser, XML_FALSE);
}

/* ---- elements ---- */

static void begin_object(struct reading *r)
{
    SB_GROW(r->object, r->cap, r->objects + 1);
    struct object *o = &r->object[r->objects++];
    *o = (struct object){.edge = {NAN, NAN, NAN, NAN}, .confidence = NAN};
    for (int i = 0; i < FLAGS; i++) o->flag[i] = -1;
}

static void add_text(struct sb_buffer *b, const char *text)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, b, sb_buffer_write);
    msgpack_pack_str(&pk, strlen(text));
    msgpack_pack_str_body(&pk, text, strlen(text));
}

static void add_attribute(struct object *o, const char *name, const char *value)
{
    if (!strcmp(name, "track_id")) {
        free(o->track);
        o->track = sb_strdup(value);
        return;
    }
    add_text(&o->attributes, name);
    add_text(&o->attributes, value);
    o->attribute_count++;
}

static double number(struct reading *r, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v)) fail(r, "a number is wanted here");
    return v;
}

static void keep(char **where, const char *text)
{
    free(*where);
    *where = *text ? sb_strdup(text) : NULL;
}

static void end_in_object(struct reading *r, struct object *o, const char *element, const char *text)
{
    static const char *const edges[] = {"bndbox/xmin", "bndbox/ymin", "bndbox/xmax", "bndbox/ymax"};
    static const char *const flags[] = {"difficult", "truncated", "occluded", "deleted"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(element, edges[i])) o->edge[i] = number(r, text);
    for (int i = 0; i < FLAGS && *text; i++)
        if (!strcmp(element, flags[i])) o->flag[i] = strcmp(text, "0") && strcasecmp(text, "false");
    if (!strcmp(element, "name")) keep(&o->name, text);
    if (!strcmp(element, "pose") && *text && strcasecmp(text, "unspecified")) add_attribute(o, element, text);
    if (!strcmp(element, "confidence") || !strcmp(element, "score")) o->confidence = *text ? number(r, text) : NAN;
    if (!strcmp(element, "attributes/attribute/name")) keep(&r->attribute, text);
    if (!strcmp(element, "attributes/attribute/value") && r->attribute) add_attribute(o, r->attribute, text);
    if (!strcmp(element, "part")) sb_annotated_skip(r->list, "part of an object");
    if (strncmp(element, "polygon/", 8)) return;
    const char *axis = strncmp(element + 8, "pt/", 3) ? element + 8 : element + 11;
    if (*axis != 'x' && *axis != 'y') return;
    if ((*axis == 'y') != o->polygon.count % 2 || o->polygon.count == POINTS_MOST) fail(r, "not x and y by turns");
    SB_GROW(o->polygon.v, o->polygon.cap, o->polygon.count + 1);
    o->polygon.v[o->polygon.count++] = number(r, text);
}

static void end_element(struct reading *r, const char *element, const char *text)
{
    static const char object[] = "annotation/object/";
    if (!strncmp(element, object, sizeof object - 1)) {
        end_in_object(r, &r->object[r->objects - 1], element + sizeof object - 1, text);
    } else if (!strcmp(element, "annotation/filename")) {
        keep(&r->filename, text);
    } else if (!strcmp(element, "annotation/source/database")) {
        keep(&r->database, text);
    } else if (!strcmp(element, "annotation/size/width") && *text) {
        r->width = number(r, text);
    } else if (!strcmp(element, "annotation/size/height") && *text) {
        r->height = number(r, text);
    }
}

/* ---- what expat says ---- */

static void on_start(void *arg, const XML_Char *name, const XML_Char **attribute)
{
    struct reading *r = arg;
    if (r->depth == 0 && strcmp(name, "annotation")) fail(r, "not Pascal VOC's: its root is no <annotation>");
    if (r->depth == DEEPEST) fail(r, "elements inside of elements, too many");
    if (r->failed) return;
    for (; r->depth == 0 && *attribute; attribute += 2)
        r->verified = r->verified || (!strcmp(attribute[0], "verified") && !strcmp(attribute[1], "yes"));
    if (r->depth++) sb_buffer_add(&r->element, "/", 1);
    sb_buffer_add(&r->element, name, strlen(name));
    r->text.size = 0;
    if (r->depth == 2 && !strcmp(name, "object")) begin_object(r);
}

static void on_text(void *arg, const XML_Char *text, int size)
{
    struct reading *r = arg;
    if (r->text.size + (size_t)size > LONGEST_TEXT) fail(r, "a text that is too long");
    if (!r->failed) sb_buffer_add(&r->text, text, (size_t)size);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reading *r = arg;
    if (r->failed) return;
    sb_buffer_add(&r->element, "", 1);
    sb_buffer_add(&r->text, "", 1);
    char *text = (char *)r->text.data + strspn((char *)r->text.data, " \t\r\n"), *end = text + strlen(text);
    while (end > text && strchr(" \t\r\n", end[-1])) *--end = 0;
    end_element(r, (char *)r->element.data, text);
    size_t size = strlen(name) + (--r->depth > 0);
    r->element.size -= size + 1;
    r->text.size = 0;
}

static void on_entity(void *arg, const XML_Char *name, int parameter, const XML_Char *value, int size,
                      const XML_Char *base, const XML_Char *system, const XML_Char *public, const XML_Char *notation)
{
    (void)name, (void)parameter, (void)value, (void)size, (void)base, (void)system, (void)public, (void)notation;
    fail(arg, "it declares entities, which annotations have no use for");
}

static int parse(struct reading *r, FILE *f)
{
    for (bool last = false; !last;) {
        void *chunk = XML_GetBuffer(r->parser, CHUNK);
        if (!chunk) sb_die("out of memory: no room for XML");
        size_t n = fread(chunk, 1, CHUNK, f);
        if (ferror(f)) return sb_error("%s: %s", r->path, strerror(errno));
        last = n < CHUNK;
        if (XML_ParseBuffer(r->parser, (int)n, last) == XML_STATUS_OK) continue;
        if (r->failed) return -1;
        return sb_error("%s: line %lu: %s", r->path, (unsigned long)XML_GetCurrentLineNumber(r->parser),
                        XML_ErrorString(XML_GetErrorCode(r->parser)));
    }
    return r->failed ? -1 : 0;
}

/* ---- the picture ---- */

static bool is_there(struct sb_annotated *a, const char *folder, const char *name, const char *ending)
{
    char *file = sb_format("%s%s", name, ending), *path = sb_name_join(folder, file);
    bool there = access(path, F_OK) == 0;
    if (there) a->path = path;
    if (!there) free(path);
    free(file);
    return there;
}

/* Beside the file, or where data sets have their pictures: in a folder beside its folder. With --images, there. */
static void look_for(struct reading *r, struct sb_annotated *a, const char *name)
{
    static const char *const folders[] = {".", "../JPEGImages", "../images", "../Images"};
    static const char *const endings[] = {"", ".jpg", ".jpeg", ".png", ".JPG", ".PNG"};
    const char *slash = strrchr(r->path, '/');
    if (r->options->images) return;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char *folder = sb_format("%.*s%s", slash ? (int)(slash - r->path) + 1 : 0, r->path, folders[i]);
        bool found = false;
        for (size_t k = 0; k < (strchr(name, '.') ? 1 : 6) && !found; k++)
            found = is_there(a, folder, name, endings[k]);
        free(folder);
        if (found) return;
    }
}

/* The picture's number. Its source is its name behind the folders between the one that was named and the file. */
static int64_t add_picture(struct reading *r)
{
    const char *base = strrchr(r->path, '/');
    base = base ? base + 1 : r->path;
    const char *dot = strrchr(base, '.');
    if (!r->filename) r->filename = sb_strndup(base, dot ? (size_t)(dot - base) : strlen(base));
    for (char *c = r->filename; *c; c++)
        if (*c == '\\') *c = '/';
    char *source = sb_format("%s%s", r->below, r->filename);
    size_t before = r->list->count;
    int64_t number = sb_annotated_picture(r->list, source, NAN);
    free(source);
    if (number < 0) return -1;
    struct sb_annotated *a = &r->list->item[number];
    if ((size_t)number < before) return sb_error("%s: another file is of the picture '%s', too", r->path, a->source);
    const char *name = strrchr(r->filename, '/');
    look_for(r, a, name ? name + 1 : r->filename);
    sb_record_reset(&r->fields);
    if (fmax(r->width, r->height) < 1e6) sb_set_parent_size(&r->fields, (int64_t)r->width, (int64_t)r->height);
    sb_annotated_about(r->list, (size_t)number, &r->fields);
    return number;
}

/* ---- objects ---- */

static bool box_of(const struct reading *r, const struct object *o, double box[4])
{
    bool challenge = r->database && !strncmp(r->database, "The VOC", 7);
    double first = challenge || (r->database && !strcmp(r->database, "FathomNet")) ? 1 : 0;
    box[0] = o->edge[XMIN] - first;
    box[1] = o->edge[YMIN] - first;
    box[2] = o->edge[XMAX] - o->edge[XMIN] + challenge;
    box[3] = o->edge[YMAX] - o->edge[YMIN] + challenge;
    return sb_annotated_box_is_one(box);
}

static void set_fields(struct reading *r, const struct object *o)
{
    struct sb_buffer map = {0};
    msgpack_packer pk;
    if (o->name) sb_set_cstr(&r->fields, "label", o->name);
    if (r->verified) sb_set_cstr(&r->fields, "label_status", "verified");
    if (o->track) sb_set_cstr(&r->fields, "track", o->track);
    if (!isnan(o->confidence)) sb_set_real(&r->fields, "confidence", o->confidence);
    for (int i = 0; i < DELETED; i++)
        if (o->flag[i] >= 0) sb_set_bool(&r->fields, flag_fields[i], o->flag[i]);
    if (o->attribute_count == 0) return;
    msgpack_packer_init(&pk, &map, sb_buffer_write);
    msgpack_pack_map(&pk, o->attribute_count);
    sb_buffer_add(&map, o->attributes.data, o->attributes.size);
    sb_set_packed(&r->fields, "attributes", map.data, map.size);
    free(map.data);
}

static void add_object(struct reading *r, size_t picture, size_t index)
{
    struct object *o = &r->object[index];
    double box[4], around[4];
    int shaped = 0;
    if (o->flag[DELETED] > 0) {
        sb_annotated_skip(r->list, "deleted in its file");
        return;
    }
    sb_record_reset(&r->fields);
    bool boxed = box_of(r, o, box);
    if (o->polygon.count) shaped = sb_shape_set(&r->fields, SB_SHAPE_POLYGON, o->polygon.v, o->polygon.count, around);
    if (shaped < 0 || (!boxed && shaped < 1)) {
        sb_annotated_unusable(r->list, r->path, "object %zu: %s", index + 1,
                              shaped < 0 ? sb_error_message() : "it has no box");
        return;
    }
    set_fields(r, o);
    sb_annotated_add(r->list, picture, boxed ? box : around, &r->fields);
}

static void reading_free(struct reading *r)
{
    for (size_t i = 0; i < r->objects; i++) {
        struct object *o = &r->object[i];
        free(o->name);
        free(o->track);
        free(o->polygon.v);
        free(o->attributes.data);
    }
    free(r->object);
    free(r->element.data);
    free(r->text.data);
    free(r->filename);
    free(r->database);
    free(r->attribute);
    sb_record_free(&r->fields);
    XML_ParserFree(r->parser);
}

/* ---- files ---- */

struct walking {
    const struct sb_annotation_options *options;
    struct sb_annotated_list *list;
    size_t files;
};

static int read_file(struct walking *w, const char *path, const char *below)
{
    struct reading r = {.options = w->options, .list = w->list, .path = path, .below = below};
    FILE *f = fopen(path, "rbe");
    if (!f) return sb_error("%s: %s", path, strerror(errno));
    r.parser = XML_ParserCreate(NULL);
    if (!r.parser) sb_die("out of memory: no room for XML");
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetEntityDeclHandler(r.parser, on_entity);
    int rc = parse(&r, f);
    fclose(f);
    int64_t picture = rc ? -1 : add_picture(&r);
    for (size_t i = 0; picture >= 0 && i < r.objects; i++) add_object(&r, (size_t)picture, i);
    reading_free(&r);
    return picture < 0 ? -1 : 0;
}

/* "train/Annotations/a.xml" lies in "train/": the folder that the files are in says nothing of pictures. */
static char *folders_of(const char *below)
{
    static const char usual[] = "Annotations/";
    const char *slash = strrchr(below, '/');
    size_t size = slash ? (size_t)(slash - below) + 1 : 0, n = sizeof usual - 1;
    if (size >= n && !strncasecmp(below + size - n, usual, n) && (size == n || below[size - n - 1] == '/')) size -= n;
    return sb_strndup(below, size);
}

static int visit(void *arg, const char *path, const char *below)
{
    struct walking *w = arg;
    const char *dot = strrchr(path, '.');
    if (!dot || strcasecmp(dot, ".xml")) return 0;
    char *folders = folders_of(below);
    int rc = read_file(w, path, folders);
    free(folders);
    w->files++;
    return rc;
}

static int read_voc(const char *path, const struct sb_annotation_options *o, struct sb_annotated_list *list)
{
    struct walking w = {o, list, 0};
    struct stat st;
    if (stat(path, &st)) return sb_error("%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode)) return read_file(&w, path, "");
    if (sb_walk(path, visit, &w)) return -1;
    return w.files ? 0 : sb_error("%s: no XML files below it", path);
}

const struct sb_annotation_format sb_voc = {
    "voc", "FILE.xml|FOLDER...", "Pascal VOC's XML files", "images,whole", false, false, read_voc};
