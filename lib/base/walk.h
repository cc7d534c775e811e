/* The files below a folder. */
#ifndef SB_BASE_WALK_H
#define SB_BASE_WALK_H

/* Calls `each` for every regular file below `folder`, also through links, in the byte order of names within each
 * folder; hidden ones (a leading dot) are left out. `path` can be opened, `below` is the part under `folder`; both are
 * gone after the call. Stops and returns what `each` returns if that is not 0; -1 with a message if a folder can't be
 * read. */
int sb_walk(const char *folder, int (*each)(void *arg, const char *path, const char *below), void *arg);

#endif
