/* Labelled pictures as most people keep them: a folder for each class. */
#ifndef SB_FORMATS_CLASS_FOLDERS_H
#define SB_FORMATS_CLASS_FOLDERS_H

#include "formats/annotated.h"

/* Adds each JPEG and PNG file (by its name's ending) below `folder`, sorted by path; its label is the name of the
 * folder that holds it, its source the path below `folder`. Hidden files are not pictures. -1 with a message if
 * something can't be read or is not named in UTF-8. */
int sb_class_folders_list(const char *folder, struct sb_annotated_list *list);

#endif
