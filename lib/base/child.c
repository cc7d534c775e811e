#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

/* ---- its end is bound to ours ---- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDINGS = sizeof ending / sizeof *ending };

static _Atomic pid_t group; /* 0: none runs */
static struct sigaction before[ENDINGS];

/* Its leader, even if it has ended, is only waited for at the very end, so the number is no other group's. */
static void kill_group(void)
{
    if (group) kill(-group, SIGKILL);
}

/* Kills the command, and goes on with what the signal did before: files that are not finished are removed there. */
static void on_signal(int number)
{
    int error = errno;
    kill_group();
    for (int i = 0; i < ENDINGS; i++) {
        if (ending[i] == number) sigaction(number, &before[i], NULL);
    }
    raise(number);
    errno = error;
}

static void watch(void)
{
    at_quick_exit(kill_group);
    signal(SIGCHLD, SIG_DFL); /* ignored, there would be nothing to wait for */
    for (int i = 0; i < ENDINGS; i++) {
        struct sigaction set = {.sa_handler = on_signal};
        if (sigaction(ending[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
            sigaction(ending[i], &set, NULL);
    }
}

/* ---- start ---- */

/* A pipe whose ends are not 0, 1 or 2: those may be closed, and are the command's own. */
static void make_pipe(int end[2])
{
    int low[2];
    if (pipe2(low, O_CLOEXEC)) sb_die("no pipe: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        end[i] = low[i] > 2 ? low[i] : fcntl(low[i], F_DUPFD_CLOEXEC, 3);
        if (end[i] < 0) sb_die("no pipe: %s", strerror(errno));
        if (end[i] != low[i]) close(low[i]);
    }
}

/* In the new process. */
static _Noreturn void become(char *const *command, pid_t parent, int in, int out, int failed)
{
    sigset_t none;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    signal(SIGPIPE, SIG_DFL); /* ignored for sb_output's sake; what ignores SIGHUP, as nohup(1) does, goes on */
    signal(SIGXFSZ, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0) execvp(command[0], command);
    int error = errno;
    while (write(failed, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(127);
}

/* 0, or why the command could not be executed. */
static int exec_error(int from)
{
    int error = 0;
    ssize_t n;
    while ((n = read(from, &error, sizeof error)) < 0 && errno == EINTR)
        ;
    close(from);
    return n == sizeof error ? error : 0;
}

int sb_child_start(struct sb_child *c, char *const *command)
{
    int in[2], out[2], failed[2];
    const char *slash = strrchr(command[0], '/');
    pid_t parent = getpid();
    make_pipe(in);
    make_pipe(out);
    make_pipe(failed);
    watch();
    pid_t pid = fork();
    if (pid < 0) sb_die("%s: %s", command[0], strerror(errno));
    if (pid == 0) become(command, parent, in[0], out[1], failed[1]);
    setpgid(pid, pid); /* whoever of the two comes first */
    group = pid;
    close(in[0]);
    close(out[1]);
    close(failed[1]);
    int error = exec_error(failed[0]);
    *c = (struct sb_child){.name = slash && slash[1] ? slash + 1 : command[0], .to = in[1], .from = out[0], .pid = pid};
    return error ? sb_error("%s: %s", command[0], strerror(error)) : 0;
}

/* ---- end ---- */

void sb_child_wait(struct sb_child *c)
{
    siginfo_t info;
    while (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT) != 0) {
        if (errno != EINTR) sb_die("%s: %s", c->name, strerror(errno));
    }
    c->code = info.si_code;
    c->status = info.si_status;
    if (c->code != CLD_EXITED || c->status) kill_group();
}

int sb_child_failed(const struct sb_child *c)
{
    if (c->code != CLD_EXITED)
        return sb_error("%s was killed by signal %d (%s)", c->name, c->status, strsignal(c->status));
    return c->status ? sb_error("%s exited with status %d", c->name, c->status) : 0;
}

void sb_child_end(struct sb_child *c)
{
    kill_group();
    group = 0;
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
