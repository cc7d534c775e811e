/* A command that runs beside this program, fed and read through two pipes, in a process group of its own.
 *
 * It never outlives the program: however that ends, by sb_die(), SIGINT, SIGTERM, SIGHUP or SIGKILL, the command is
 * killed, and but for SIGKILL all that it started in its group, too. One at a time in a program. */
#ifndef SB_BASE_CHILD_H
#define SB_BASE_CHILD_H

#include <sys/types.h>

struct sb_child {
    const char *name; /* the command's base name, for messages; borrowed from the command */
    int to, from;     /* its standard input and output; the caller closes them */
    pid_t pid;        /* its group's number, too */
    int code, status; /* siginfo's, once it has been waited for */
};

/* Runs the words of command, the first one looked for on PATH. -1 with a message: "nosuch: No such file or directory".
 */
int sb_child_start(struct sb_child *c, char *const *command);
/* Returns when it has ended, which another thread may wait for; what it started is killed then if it has failed. */
void sb_child_wait(struct sb_child *c);
/* After that: 0 if it ended with status 0, else -1 with a message: "python3 exited with status 3". */
int sb_child_failed(const struct sb_child *c);
/* After that: kills what is left of its group, and forgets it. */
void sb_child_end(struct sb_child *c);

#endif
