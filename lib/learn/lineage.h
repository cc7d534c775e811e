/* Where a model comes from, for its __metadata__. */
#ifndef SB_LEARN_LINEAGE_H
#define SB_LEARN_LINEAGE_H

#include "stream/stream.h"

/* The history of a stream with this run's own step at its end, as JSON text; the caller frees it. */
char *sb_lineage_json(const struct sb_record *header, const struct sb_tool *tool, const struct sb_args *args);

#endif
