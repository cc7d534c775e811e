#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/opt.h"

/* A quota in cores, rounded up, from "max 100000" or "150000 100000"; 0 for none. */
static int quota_in(const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    long long quota = 0, period = 0;
    int got = fscanf(f, "%lld %lld", &quota, &period);
    fclose(f);
    if (got != 2 || quota <= 0 || period <= 0) return 0;
    return (int)((quota + period - 1) / period);
}

/* The tightest quota from this process's control group up to the root (cgroup v2). */
static int quota(void)
{
    char line[2048], path[2200];
    int least = 0;
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (!f) return 0;
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "0::", 3) != 0) continue;
        char *group = line + 3;
        group[strcspn(group, "\n")] = 0;
        for (;;) {
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", strcmp(group, "/") == 0 ? "" : group);
            int cores = quota_in(path);
            if (cores && (!least || cores < least)) least = cores;
            char *slash = strrchr(group, '/');
            if (!slash) break;
            *slash = 0;
        }
    }
    fclose(f);
    return least;
}

int sb_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int allowed = quota();
    if (allowed && allowed < cores) cores = allowed;
    return cores > 0 ? cores : 1;
}
