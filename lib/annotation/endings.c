#include "annotation/endings.h"

#include <string.h>
#include <strings.h>

static bool ends_like(const char *name, const char *const *endings)
{
    const char *dot = strrchr(name, '.');
    for (; dot && *endings; endings++)
        if (!strcasecmp(dot + 1, *endings)) return true;
    return false;
}

bool sb_names_picture(const char *name)
{
    static const char *const endings[] = {"png", "jpg",  "jpeg", "tif",  "tiff", "bmp",  "gif", "webp",
                                          "ppm", "pgm",  "dng",  "cr2",  "cr3",  "nef",  "arw", "raw",
                                          "sgi", "avif", "jp2",  "nitf", "ntf",  "heic", NULL};
    return ends_like(name, endings);
}

bool sb_names_video(const char *name)
{
    static const char *const endings[] = {"mp4", "mov", "avi", "mkv", "mpg", "mpeg", "m4v", "mts",
                                          "ts",  "mxf", "wmv", "ogv", "ogg", "webm", "flv", NULL};
    return ends_like(name, endings);
}
