/* Darwin Core occurrences for OBIS (its manual's "Darwin Core Terms", and "Multimedia data" after Martin-Cabrera et al.
 * 2022, which makes whatever was found in imagery a MachineObservation, whoever named it). */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "annotation/endings.h"
#include "annotation/identified.h"
#include "annotation/view.h"
#include "base/clock.h"
#include "base/dictionary.h"
#include "base/opt.h"
#include "formats/csv.h"
#include "formats/exporter.h"
#include "formats/label_map.h"
#include "formats/text.h"
#include "formats/url.h"

static const char titles[] =
    "occurrenceID,basisOfRecord,occurrenceStatus,eventDate,decimalLatitude,decimalLongitude,"
    "coordinateUncertaintyInMeters,minimumDepthInMeters,maximumDepthInMeters,scientificName,scientificNameID,"
    "verbatimIdentification,identifiedBy,identificationVerificationStatus,identificationReferences,"
    "identificationRemarks,eventID,parentEventID,associatedMedia,datasetName\r\n";

/* Why something is no occurrence for OBIS. */
enum lack { NO_ID, NO_NAME, NO_TIME, NO_PLACE, BAD_PLACE, REMOVED, LACKS };
static const char *const lack_names[LACKS] = {"without an id",      "without a name",        "without a time",
                                              "without a position", "position out of range", "removed by --taxa"};

struct run {
    struct sb_view view;
    struct sb_counts *counts;
    struct sb_label_map taxa;
    const char *taxa_file, *dataset, *prefix;
    char *model;
    struct sb_dictionary ids; /* of records that have a row */
    uint32_t *times;          /* [ids.count]: how many */
    size_t times_cap;
    struct sb_dictionary nameless; /* names without an AphiaID */
    uint64_t nameless_rows, lacking[LACKS];
    char *first[LACKS]; /* the id or source of the first that lacks it */
};

/* What a row says of its taxon. */
struct taxon {
    struct sb_span name;
    int64_t aphia_id; /* 0: not known */
};

static int darwin_core_open(void *run, const struct sb_export_options *o, const struct sb_record *header)
{
    struct run *r = run;
    struct sb_record copy = {0};
    r->view.least = o->least;
    r->counts = o->counts;
    r->taxa_file = o->taxa;
    r->prefix = o->url_prefix;
    r->dataset = o->dataset_name ? o->dataset_name : "";
    sb_record_copy(&copy, header);
    r->model = sb_identified_by(&copy);
    sb_record_free(&copy);
    return o->taxa ? sb_label_map_read(o->taxa, &r->taxa) : 0;
}

static int darwin_core_begin(void *run, void *output, FILE *out, const char *path)
{
    (void)run;
    (void)output;
    (void)path;
    fputs(titles, out);
    return 0;
}

/* ---- cells ---- */

static void put(FILE *out, struct sb_span text)
{
    putc(',', out);
    sb_csv_text(out, text.text, text.size);
}

static void put_text(FILE *out, const char *text) { put(out, (struct sb_span){text, strlen(text)}); }

static void put_real(FILE *out, double v)
{
    char text[SB_NUMBER];
    put_text(out, isnan(v) ? "" : sb_text_f64(v, text));
}

/* A name for the whole world: of a record, or of the whole picture. */
static void put_urn(FILE *out, struct sb_span id, uint32_t row)
{
    char *urn = sb_format("urn:seabot:%.*s", (int)id.size, id.text);
    sb_csv_text(out, urn, id.size ? strlen(urn) : 0);
    if (row > 1) fprintf(out, ":%" PRIu32, row);
    free(urn);
}

/* Where the picture or video was published, or else its name; of a video, as W3C's Media Fragments have it, with the
 * second: a still that was taken of it has none. */
static void put_media(FILE *out, const struct run *r)
{
    const struct sb_view *v = &r->view;
    struct sb_span said = v->url.size ? v->url : v->source;
    bool below = r->prefix && !v->url.size && v->source.size;
    char second[SB_NUMBER];
    char *media = below ? sb_url_join(r->prefix, said.text, said.size) : sb_strndup(said.text, said.size);
    bool still = isnan(v->pts) || !*media || sb_names_picture(media);
    char *text = still ? sb_strdup(media) : sb_format("%s#t=%s", media, sb_text_f64(v->pts, second));
    put_text(out, text);
    free(media);
    free(text);
}

/* Who named it: people; and with what. */
static void put_identification(FILE *out, const struct run *r, const struct sb_viewed *one)
{
    bool machine = one->named_by == SB_NAMED_BY_MACHINE;
    char *said = machine && !isnan(one->probability) ? sb_format("probability %.3g", one->probability) : sb_strdup("");
    put(out, machine ? (struct sb_span){"", 0} : one->by);
    put_text(out, machine ? "PredictedByMachine" : "ValidatedByHuman");
    if (*r->model && (machine || one->predictions)) {
        put_text(out, r->model);
    } else {
        put(out, machine ? one->by : (struct sb_span){"", 0});
    }
    put_text(out, said);
    free(said);
}

static void put_taxon(FILE *out, const struct taxon *taxon, struct sb_span verbatim)
{
    put(out, taxon->name);
    putc(',', out);
    if (taxon->aphia_id > 0) fprintf(out, "urn:lsid:marinespecies.org:taxname:%" PRId64, taxon->aphia_id);
    put(out, verbatim);
}

static void put_row(FILE *out, const struct run *r, const struct sb_viewed *one, const struct taxon *taxon,
                    double uncertainty, uint32_t row)
{
    const struct sb_view *v = &r->view;
    char time[SB_CLOCK_TEXT];
    put_urn(out, v->id, row);
    fputs(",MachineObservation,present", out);
    put_text(out, sb_clock_text(v->time, -1, time));
    put_real(out, v->lat);
    put_real(out, v->lon);
    put_real(out, uncertainty);
    put_real(out, v->depth);
    put_real(out, v->depth);
    put_taxon(out, taxon, one->name);
    put_identification(out, r, one);
    putc(',', out);
    put_urn(out, v->picture, 1);
    put(out, v->group);
    put_media(out, r);
    put_text(out, r->dataset);
    fputs("\r\n", out);
}

/* ---- records ---- */

static void lacks(struct run *r, enum lack why)
{
    struct sb_span name = r->view.id.size ? r->view.id : r->view.source;
    if (r->lacking[why]++ == 0) r->first[why] = sb_strndup(name.text, name.size);
    sb_counts_skip(r->counts, lack_names[why]);
}

/* What of the record itself OBIS would not take; LACKS: nothing. */
static enum lack lack_of(const struct sb_view *v)
{
    if (!v->id.size) return NO_ID;
    if (!(v->time >= SB_CLOCK_LEAST && v->time < SB_CLOCK_MOST)) return NO_TIME;
    if (isnan(v->lat) || isnan(v->lon)) return NO_PLACE;
    return fabs(v->lat) <= 90 && fabs(v->lon) <= 180 ? LACKS : BAD_PLACE;
}

static struct taxon taxon_of(struct run *r, const struct sb_viewed *one)
{
    const struct sb_label_target *to =
        r->taxa_file ? sb_label_map_find(&r->taxa, one->name.text, one->name.size) : NULL;
    if (!to) return (struct taxon){one->name, one->aphia_id};
    bool same = strlen(to->name) == one->name.size && !memcmp(to->name, one->name.text, one->name.size);
    return (struct taxon){{to->name, strlen(to->name)}, to->aphia_id ? to->aphia_id : same ? one->aphia_id : 0};
}

/* Which of the record's rows this is, from 1. */
static uint32_t row_of(struct run *r)
{
    size_t before = r->ids.count;
    uint32_t number = sb_dictionary_add(&r->ids, r->view.id.text, r->view.id.size);
    SB_GROW(r->times, r->times_cap, r->ids.count);
    if (r->ids.count > before) r->times[number] = 0;
    return ++r->times[number];
}

/* 1: it has a row. */
static int write_one(struct run *r, uint64_t *rows, FILE *out, const struct sb_viewed *one, double uncertainty)
{
    struct taxon taxon = taxon_of(r, one);
    enum lack lack = !one->name.size ? NO_NAME : !taxon.name.size ? REMOVED : lack_of(&r->view);
    if (lack != LACKS) {
        lacks(r, lack);
        return 0;
    }
    if (!taxon.aphia_id) {
        sb_dictionary_add(&r->nameless, taxon.name.text, taxon.name.size);
        r->nameless_rows++;
    }
    sb_csv_count(rows);
    put_row(out, r, one, &taxon, uncertainty, row_of(r));
    return 1;
}

static int darwin_core_write(void *run, void *output, FILE *out, struct sb_record *rec)
{
    struct run *r = run;
    double uncertainty = NAN;
    int shown = 0;
    if (sb_view_read(&r->view, rec) || sb_get_real(rec, "coordinateUncertaintyInMeters", &uncertainty) < 0) return -1;
    sb_view_count(&r->view, r->counts);
    if (r->view.count == 0 && !r->view.unlikely && !r->view.unboxed) lacks(r, NO_NAME);
    for (size_t i = 0; i < r->view.count; i++) shown |= write_one(r, output, out, &r->view.item[i], uncertainty);
    return shown;
}

/* ---- the end ---- */

static void warn_of_lacks(const struct run *r)
{
    for (int i = 0; i < LACKS; i++) {
        if (r->lacking[i])
            sb_warn("not for OBIS: %" PRIu64 " %s, the first: %s", r->lacking[i], lack_names[i],
                    *r->first[i] ? r->first[i] : "it has no name");
    }
}

static void warn_of_names(const struct run *r)
{
    enum { SHOWN = 10 };
    struct sb_buffer list = {0};
    if (!r->nameless.count) return;
    for (size_t i = 0; i < r->nameless.count && i < SHOWN; i++) {
        char *one = sb_format("%s'%.60s'", i ? ", " : "", r->nameless.text[i]);
        sb_buffer_add(&list, one, strlen(one));
        free(one);
    }
    sb_warn("%" PRIu64 " rows without the scientificNameID that OBIS asks for: %.*s%s; --taxa FILE gives names their "
            "AphiaIDs",
            r->nameless_rows, (int)list.size, (const char *)list.data, r->nameless.count > SHOWN ? ", and more" : "");
    free(list.data);
}

static int darwin_core_close(void *run, uint64_t records)
{
    struct run *r = run;
    (void)records;
    warn_of_lacks(r);
    if (r->taxa_file) sb_label_map_report(&r->taxa, r->taxa_file);
    warn_of_names(r);
    sb_view_free(&r->view);
    sb_label_map_free(&r->taxa);
    sb_dictionary_free(&r->ids);
    sb_dictionary_free(&r->nameless);
    for (int i = 0; i < LACKS; i++) free(r->first[i]);
    free(r->times);
    free(r->model);
    return 0;
}

const struct sb_exporter sb_export_darwin_core = {.name = "darwin-core",
                                                  .suffix = ".csv",
                                                  .summary = "Darwin Core occurrences, for OBIS",
                                                  .options = "taxa,dataset-name,url-prefix,min-prob,by",
                                                  .is_text = true,
                                                  .by_any = true,
                                                  .run_size = sizeof(struct run),
                                                  .output_size = sizeof(uint64_t), /* rows */
                                                  .open = darwin_core_open,
                                                  .begin = darwin_core_begin,
                                                  .write = darwin_core_write,
                                                  .close = darwin_core_close};
