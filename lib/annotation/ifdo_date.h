/* Dates of an iFDO, which may be in a format of its own. */
#ifndef SB_ANNOTATION_IFDO_DATE_H
#define SB_ANNOTATION_IFDO_DATE_H

#include "base/clock.h"

/* Unix time. `format` is Python's (%Y %m %d %H %M %S %f %y %z %%), or NULL: ISO 8601 and its relatives. -1 with a
 * message. */
int sb_ifdo_date(const char *text, const char *format, const struct sb_zone *zone, double *unix_time);

#endif
