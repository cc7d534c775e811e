/* What a file's name tells of what is in it, by its ending in any case. Neither: it does not tell. */
#ifndef SB_ANNOTATION_ENDINGS_H
#define SB_ANNOTATION_ENDINGS_H

#include <stdbool.h>

bool sb_names_picture(const char *name); /* "a.JPG" */
bool sb_names_video(const char *name);   /* "dive.mp4" */

#endif
