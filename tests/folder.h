/* A folder for the files of a unit test: made and removed by its group's setup and teardown. */
#ifndef SB_TESTS_FOLDER_H
#define SB_TESTS_FOLDER_H

#include <stdlib.h>

#include "base/err.h"

static char folder[] = "/tmp/seabot-test.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char *command = sb_format("rm -rf '%s'", folder);
    int rc = system(command);
    free(command);
    return rc;
}

#endif
