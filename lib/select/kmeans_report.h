/* What a run says on stderr of its clusters: "8 clusters of 12 to 110 records, inertia 1234.5 after 17 iterations",
 * their silhouette and their sizes. */
#ifndef SB_SELECT_KMEANS_REPORT_H
#define SB_SELECT_KMEANS_REPORT_H

#include "select/kmeans.h"
#include "select/silhouette.h"

/* s: a sample of m's vectors; wanted: so many clusters were asked for. */
void sb_kmeans_report(const struct sb_kmeans *m, const struct sb_sample *s, int64_t wanted);

#endif
