/* Addresses on the web. */
#ifndef SB_FORMATS_URL_H
#define SB_FORMATS_URL_H

#include <stddef.h>

/* "https://host/dive%207/a.png?size=big" to "dive 7/a.png": the path, %XX decoded where that gives UTF-8. A text that
 * is no URL is taken for a path. The caller frees it; NULL if there is no path. */
char *sb_url_path(const char *url);
/* The address of a file below a folder's: "https://host/pictures/" and "dive 7/a.png" to
 * "https://host/pictures/dive%207/a.png". The caller frees it. */
char *sb_url_join(const char *folder, const char *path, size_t size);

#endif
