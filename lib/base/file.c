#include "base/file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

/* Names of files that are not whole yet. A signal handler walks the table, so a slot changes in one store. */
#define SLOTS 64
static char *volatile unfinished[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void remove_unfinished(void)
{
    for (int i = 0; i < SLOTS; i++)
        if (unfinished[i]) unlink(unfinished[i]);
}

static void on_signal(int sig)
{
    remove_unfinished();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* A program that ends cleanly on a signal has its own handler by now, and keeps it. */
static void install(void)
{
    static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};
    atexit(remove_unfinished);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction have;
        if (!sigaction(fatal[i], NULL, &have) && have.sa_handler == SIG_DFL) signal(fatal[i], on_signal);
    }
}

static int remember(char *name)
{
    static bool installed;
    int status = -1;
    pthread_mutex_lock(&lock);
    if (!installed) install();
    installed = true;
    for (int i = 0; status && i < SLOTS; i++)
        if (!unfinished[i]) {
            unfinished[i] = name;
            status = 0;
        }
    pthread_mutex_unlock(&lock);
    return status ? sb_error("%s: more than %d output files at once", name, SLOTS) : 0;
}

static void forget(const char *name)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < SLOTS; i++)
        if (unfinished[i] == name) unfinished[i] = NULL;
    pthread_mutex_unlock(&lock);
}

static char *sibling(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return sb_format("%.*s.%s.%ld.tmp", (int)(name - path), path, name, (long)getpid());
}

static void release(struct sb_file *out)
{
    free(out->path);
    free(out->temporary);
    memset(out, 0, sizeof *out);
}

int sb_file_create(struct sb_file *out, const char *path)
{
    memset(out, 0, sizeof *out);
    if (!path || !strcmp(path, "-")) {
        out->f = stdout;
        out->path = sb_strdup("standard output");
        return 0;
    }
    struct stat st;
    bool direct = !stat(path, &st) && !S_ISREG(st.st_mode);
    out->path = sb_strdup(path);
    if (!direct) {
        out->temporary = sibling(path);
        if (remember(out->temporary)) {
            release(out);
            return -1;
        }
    }
    out->f = fopen(direct ? path : out->temporary, "we");
    if (out->f) return 0;
    int status = sb_error("%s: %s", path, strerror(errno));
    if (out->temporary) forget(out->temporary);
    release(out);
    return status;
}

int sb_file_commit(struct sb_file *out)
{
    int status = 0, broken = ferror(out->f);
    errno = 0;
    bool failed = fflush(out->f) || broken;
    int why = errno ? errno : EIO;
    if (out->f != stdout && fclose(out->f) && !failed) {
        failed = true;
        why = errno;
    }
    if (!failed && out->temporary && rename(out->temporary, out->path)) {
        failed = true;
        why = errno;
    }
    if (failed) {
        status = sb_error("%s: %s", out->path, strerror(why));
        if (out->temporary) unlink(out->temporary);
    }
    if (out->temporary) forget(out->temporary);
    release(out);
    return status;
}

void sb_file_abandon(struct sb_file *out)
{
    if (!out->f) return;
    if (out->f != stdout) fclose(out->f);
    if (out->temporary) {
        unlink(out->temporary);
        forget(out->temporary);
    }
    release(out);
}
