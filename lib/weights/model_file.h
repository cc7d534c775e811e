/* Models in files: ours, and those of others, which are read under our names. */
#ifndef SB_WEIGHTS_MODEL_FILE_H
#define SB_WEIGHTS_MODEL_FILE_H

#include "nn/model.h"

/* A file written by sb_model_save, or by timm, torchvision, transformers or Meta's DINOv2: configuration, what travels
 * with it, and in m->file its weights under our names; nothing is laid out. A foreign file's preprocess and labels are
 * those of files beside it, if they fit: else preprocess.size is 0, and there are no labels. Where no
 * config.json says how many heads a ViT has, `like` does, or (NULL) its width, if it is a common one; else -1. */
int sb_model_open(struct sb_model *m, const char *path, const struct sb_model *like);
/* An open model that has not been read yet takes pictures of another size; -1 with a message if patches do not fill
 * them. */
int sb_model_set_size(struct sb_model *m, int size, const char *path);
/* Lays an open model out. Matrices stay in the mapped file where they can be used as they lie there; position
 * embeddings are resized as timm does where the grid differs. Messages name the tensor, its shape and the shape wanted.
 * Tensors that have no use are counted on stderr. After -1 the caller frees m. */
int sb_model_read(struct sb_model *m, const char *path);
int sb_model_load(struct sb_model *m, const char *path); /* opens and reads it */
/* Takes over from such a file every weight whose name and shape fit m (position embeddings resized as timm does when
 * only the grid differs; a head or decoder whose labels or words differ is left as initialised). Prints to stderr what
 * was taken and left, sets m->parent, and takes LayerNorm's epsilon. A backbone that does not fit, by its weights,
 * heads or LayerScale, is an error, after which m's weights may be changed. */
int sb_model_take(struct sb_model *m, const char *path);
int sb_model_save(const struct sb_model *m, const char *path);

#endif
