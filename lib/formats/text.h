/* Text and numbers as text files want them. */
#ifndef SB_FORMATS_TEXT_H
#define SB_FORMATS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SB_NUMBER 32 /* bytes that any number's text fits in */

/* The shortest decimal that reads back as the same number: "0.1", "1e+20", "NaN", "Inf", "-Inf". Return buf. */
const char *sb_text_f64(double v, char buf[SB_NUMBER]);
const char *sb_text_f32(float v, char buf[SB_NUMBER]);
/* As an f32 where it is one, so that what was computed as f32 gets no more digits than it had. */
const char *sb_text_real(double v, char buf[SB_NUMBER]);

/* The shortest text of where a side ends whose distance from the text of where it begins is its length again. */
const char *sb_text_end(float begin, float length, char buf[SB_NUMBER]);

void sb_text_hex(FILE *out, const void *bytes, size_t size);
void sb_text_utf8(FILE *out, const char *s, size_t size); /* bytes that are no UTF-8 become U+FFFD */

#endif
