/* Times as people type them. */
#ifndef SB_BASE_SECONDS_H
#define SB_BASE_SECONDS_H

/* "90", "1:30" and "0:01:30.0" all give 90. -1 with a message for anything else. */
int sb_seconds_parse(const char *text, double *seconds);

#endif
