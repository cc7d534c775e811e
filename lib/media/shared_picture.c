#include "media/shared_picture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct sb_shared_picture {
    atomic_int users;
    char *field;
    struct sb_record rec; /* that field alone */
    pthread_mutex_t lock;
    bool decoded;
    int found;
    char why[1024];
    struct sb_picture picture;
};

static struct sb_shared_picture *make(const struct sb_field *f, const char *field)
{
    struct sb_shared_picture *s = sb_calloc(1, sizeof *s);
    s->field = sb_strdup(field);
    sb_set_packed(&s->rec, field, f->value, f->size);
    pthread_mutex_init(&s->lock, NULL);
    atomic_init(&s->users, 1);
    return s;
}

struct sb_shared_picture *sb_shared_picture_of(struct sb_shared_picture **last, struct sb_record *rec,
                                               const char *field)
{
    const struct sb_field *f = sb_record_find(rec, field),
                          *before = *last ? sb_record_find(&(*last)->rec, field) : NULL;
    if (!f) return NULL;
    if (!before || before->size != f->size || memcmp(before->value, f->value, f->size) != 0) {
        sb_shared_picture_release(*last);
        *last = make(f, field);
    }
    sb_record_remove(rec, field);
    atomic_fetch_add(&(*last)->users, 1);
    return *last;
}

int sb_shared_picture_get(struct sb_shared_picture *s, const struct sb_decoding *how, const struct sb_picture **p)
{
    pthread_mutex_lock(&s->lock);
    if (!s->decoded) {
        s->found = sb_image_get_as(&s->rec, s->field, &s->picture, how);
        if (s->found < 0) snprintf(s->why, sizeof s->why, "%s", sb_error_message());
        s->decoded = true;
    }
    pthread_mutex_unlock(&s->lock);
    *p = &s->picture;
    return s->found < 0 ? sb_error("%s", s->why) : s->found;
}

void sb_shared_picture_release(struct sb_shared_picture *s)
{
    if (!s || atomic_fetch_sub(&s->users, 1) > 1) return;
    pthread_mutex_destroy(&s->lock);
    sb_picture_free(&s->picture);
    sb_record_free(&s->rec);
    free(s->field);
    free(s);
}
