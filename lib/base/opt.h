/* Option tables: one table parses the command line, prints --help, and feeds the stream's history.
 *
 * GNU style: -j4, -j 4, --jobs 4, --jobs=4, bundled flags, "--" ends options, options and operands may mix.
 * --help and --version are built in, and --list-options, out of which completion is made. Wrong usage prints one line and a hint, and exits 2. */
#ifndef SB_BASE_OPT_H
#define SB_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SB_VERSION "0.1.0"

enum sb_opt_type {
    SB_FLAG, /* bool *: set true */
    SB_INT,  /* int64_t *: decimal, range-checked to [min, max] where max > min */
    SB_REAL, /* double *: finite, range-checked likewise */
    SB_TEXT, /* const char ** */
    SB_TEXTS /* struct sb_texts *: may be repeated, appended */
};

enum {
    SB_OPT_FILE = 1,       /* names an input file: history stores its base name and XXH3-128; of a pipe no hash */
    SB_OPT_UNRECORDED = 2, /* changes no result (-o, -q, -j): left out of history */
    SB_OPT_MAYBE_FILE = 4  /* as SB_OPT_FILE where it names a file; of a folder history stores the base name */
};

struct sb_texts {
    const char **text;
    size_t count, cap;
};

struct sb_opt {
    char letter;         /* 0: long only */
    const char *name;    /* without dashes; NULL ends the table */
    const char *metavar; /* "FILE"; NULL for a flag; "best|last": one of these words; "auto|cpu|NAME": or another */
    enum sb_opt_type type;
    void *value;
    unsigned flags;
    const char *help; /* one line; long ones are wrapped */
    double min, max;
};

/* The one spelling and meaning of the options that many programs share. */
#define SB_OPT_OUTPUT(v)                                                                                            \
    {'o', "output", "FILE", SB_TEXT, (v), SB_OPT_UNRECORDED,                                                        \
     "write to FILE, which appears only when it is whole (default: standard output)", 0, 0}
#define SB_OPT_DROP(v)                                                                                              \
    {0, "drop", "FIELDS", SB_TEXT, (v), 0, "leave these fields (comma-separated) out of the output", 0, 0}
#define SB_OPT_QUIET {'q', "quiet", NULL, SB_FLAG, &sb_quiet, SB_OPT_UNRECORDED, "print errors only", 0, 0}
#define SB_OPT_JOBS(v)                                                                                              \
    {'j', "jobs", "N", SB_INT, (v), SB_OPT_UNRECORDED, "threads (default: the cores this process may use)", 1, 1024}
#define SB_OPT_SEED(v) {0, "seed", "N", SB_INT, (v), 0, "seed of everything random (default 0)", 0, 9007199254740991.0}
#define SB_OPT_MODEL(v) {'m', "model", "FILE", SB_TEXT, (v), SB_OPT_FILE, "the model, a safetensors file", 0, 0}
#define SB_OPT_DEVICE(v) {0, "device", "auto|cpu|cuda|cuda:N", SB_TEXT, (v), 0, "what computes (default auto)", 0, 0}
#define SB_OPT_BATCH(v, usual)                                                                                      \
    {0, "batch", "N", SB_INT, (v), 0, "records computed at once (default " usual ")", 1, 65536}
#define SB_OPT_END {0, NULL, NULL, SB_FLAG, NULL, 0, NULL, 0, 0}

struct sb_tool {
    const char *name;    /* "sb-dedup" */
    const char *usage;   /* operands: "[FILE]"; "frames|video": these words */
    const char *summary; /* a sentence for --help */
    const struct sb_opt *opts;
    bool reads_stdin;    /* nothing named and stdin a terminal: usage and exit 2 */
};

struct sb_args {
    char **operand; /* into argv, NULL-terminated */
    int count;
    char **command; /* of sb_opt_parse_command(); into argv, NULL-terminated */
    /* For the history: every recorded option as "--name" or "--name=value" and every operand (files by base name,
     * user:password@ in URLs masked), and the paths that SB_OPT_FILE options named. */
    char **recorded;
    size_t nrecorded;
    const char **file;
    size_t nfile;
};

/* What args points to lives until the program ends; nobody frees it. */
void sb_opt_parse(const struct sb_tool *tool, int argc, char **argv, struct sb_args *args);
/* The history holds the hash of this file, too: an operand that is no stream, whose own history would tell. */
void sb_args_file(struct sb_args *args, const char *path);

/* The same where "--" begins a command that is to be run; without one it is wrong usage. The history gets "--" and each word; a
 * word that names a file or folder, itself or as --option=PATH, stands by its base name, and args->file has the files. */
void sb_opt_parse_command(const struct sb_tool *tool, int argc, char **argv, struct sb_args *args);

/* "sb-x: message\nTry 'sb-x --help'.\n", exit 2. */
_Noreturn void sb_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Which of the words (ended by NULL) value is; another is wrong usage: "--keep is best or last, not 'x'". */
int sb_opt_choose(const char *option, const char *value, const char *const *words);
/* "114,114,114": three values of 0 to 255. Another text is wrong usage. */
void sb_opt_colour(const char *option, const char *text, uint8_t colour[3]);

/* Of the options without a letter, one that was given and stands in neither list ("fps,zone"; NULL: an empty one) is
 * wrong usage: "--fps is not for coco". */
void sb_opt_check(const struct sb_opt *opt, const char *common, const char *own, const char *what);

/* Cores this process may use (affinity and cgroup quota), at least 1. */
int sb_cores(void);

/* Splits "a,b,c" (empty parts dropped) into out, owned by it. */
void sb_texts_split(const char *s, char sep, struct sb_texts *out);

#endif
