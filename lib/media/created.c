/* Times that files tell. See created.h. */
#include "media/created.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "media/exif.h"
#include "media/ffmpeg.h"

enum { HEAD = 1 << 17 }; /* bytes of a picture in which its Exif block, of at most 64 KiB, begins and ends */

static int picture_says(const char *path, char *text, size_t size)
{
    const uint8_t *block;
    size_t block_size;
    char taken[SB_EXIF_TAKEN];
    FILE *f = fopen(path, "rbe");
    if (!f) return sb_error("%s", strerror(errno));
    uint8_t *head = sb_malloc(HEAD);
    size_t n = fread(head, 1, HEAD, f);
    fclose(f);
    bool said = sb_exif_find(head, n, &block, &block_size) && sb_exif_taken(block, block_size, taken);
    free(head);
    if (!said) return sb_error("it does not say when it was taken (Exif's DateTimeOriginal)");
    snprintf(text, size, "%s", taken);
    return 0;
}

/* The device's own words, with their offset from UTC, before the container's field, which has none. */
static const char *metadata(const AVFormatContext *format)
{
    static const char *const keys[] = {"com.apple.quicktime.creationdate", "creation_time"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const AVDictionaryEntry *e = av_dict_get(format->metadata, keys[i], NULL, 0);
        for (unsigned s = 0; !e && s < format->nb_streams; s++)
            e = av_dict_get(format->streams[s]->metadata, keys[i], NULL, 0);
        if (e) return e->value;
    }
    return NULL;
}

static int video_says(const char *path, char *text, size_t size)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) return sb_error("only a file can say when it was taken");
    AVFormatContext *format = NULL;
    AVDictionary *options = NULL;
    char *name = sb_format("file:%s", path);
    av_log_set_level(AV_LOG_QUIET);
    av_dict_set(&options, "protocol_whitelist", "file,crypto,data", 0);
    int rc = avformat_open_input(&format, name, NULL, &options);
    av_dict_free(&options);
    free(name);
    if (rc < 0) return sb_error("not a video (or it was cut off before its index)");
    const char *said = metadata(format);
    if (said)
        snprintf(text, size, "%s", said);
    else
        sb_error("it does not say when it was taken (creation_time)");
    avformat_close_input(&format);
    return said ? 0 : -1;
}

int sb_created(const struct sb_input *input, const struct sb_zone *zone, double *unix_time)
{
    char text[128], why[768];
    int rc = input->picture ? picture_says(input->path, text, sizeof text) : video_says(input->path, text, sizeof text);
    if (rc == 0 && sb_clock_parse(text, strlen(text), zone, unix_time) == 0) return 0;
    snprintf(why, sizeof why, "%s", sb_error_message());
    return sb_error("%s: %s", input->path, why);
}
