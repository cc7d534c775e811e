/* Several streams that are read one after the other, where all of their headers are wanted before the first record.
 * Files are closed in between, so there may be thousands; pipes, and streams without a header, stay open. */
#ifndef SB_STREAM_SEVERAL_H
#define SB_STREAM_SEVERAL_H

#include "stream/stream.h"

struct sb_several {
    char **path; /* [count], the caller's */
    size_t count;
    struct sb_reader **reader; /* [count], NULL where it was closed */
    struct sb_record *header;  /* [count] */
    char **name;               /* [count], for messages */
};

/* Opens all, and reads and checks their headers (history.h). -1 with a message; the caller frees it in any case. */
int sb_several_open(struct sb_several *s, char **path, size_t count);
/* The stream to be read; closed with sb_several_done(). NULL with a message if it can't be opened again, or if it is
 * another one by now. */
struct sb_reader *sb_several_take(struct sb_several *s, size_t i);
void sb_several_done(struct sb_several *s, size_t i);
void sb_several_free(struct sb_several *s);

/* What the headers have in common, into *out (reset first): the keys that stand in all of them with the same value, but
 * for seabot, history and inputs, which are not touched. Of a key that does not, `differs` is told the first two
 * streams that differ. */
void sb_several_common(const struct sb_several *s, struct sb_record *out,
                       void (*differs)(void *arg, const char *key, size_t a, size_t b), void *arg);

#endif
