/* Lists of texts as JSON: class names, vocabularies. */
#ifndef SB_TEXT_TEXTS_H
#define SB_TEXT_TEXTS_H

#include "base/opt.h"

char *sb_texts_json(const struct sb_texts *t);              /* the caller frees it */
int sb_texts_parse(const char *text, struct sb_texts *out); /* appends; -1 with a message: not a list of texts */
void sb_texts_free(struct sb_texts *t);

#endif
