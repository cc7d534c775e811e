/* A small fixed font for captions on pictures: ASCII; any other character is drawn as '?'. */
#ifndef SB_MEDIA_FONT_H
#define SB_MEDIA_FONT_H

#include "media/picture.h"

#define SB_FONT_WIDTH 6   /* pixels from character to character at scale 1 */
#define SB_FONT_HEIGHT 11 /* from line to line */

size_t sb_font_length(const char *text, size_t size); /* characters in UTF-8 text */

/* Draws one line of UTF-8 text with its top left at x, y; what lies outside of the picture is left out. */
void sb_font_draw(struct sb_picture *p, int x, int y, int scale, const uint8_t colour[3], const char *text,
                  size_t size);

#endif
