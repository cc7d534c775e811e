/* The parts of an Exif block, shared by its readers and its writer. */
#ifndef SB_MEDIA_EXIF_INNER_H
#define SB_MEDIA_EXIF_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SB_TAG_DESCRIPTION = 0x010e,
    SB_TAG_ORIENTATION = 0x0112,
    SB_TAG_EXIF = 0x8769, /* where the directory begins of what the camera did */
    SB_TAG_GPS = 0x8825,  /* the directory of where it was */
    SB_TAG_VERSION = 0x9000,
    SB_TAG_TAKEN = 0x9003,
    SB_TAG_TAKEN_OFFSET = 0x9011,
    SB_TAG_TAKEN_FRACTION = 0x9291,
    SB_TAG_ID = 0xa420,
    SB_GPS_VERSION = 0,
    SB_GPS_LATITUDE_REF = 1,
    SB_GPS_LATITUDE = 2,
    SB_GPS_LONGITUDE_REF = 3,
    SB_GPS_LONGITUDE = 4,
    SB_GPS_ALTITUDE_REF = 5,
    SB_GPS_ALTITUDE = 6,
    SB_GPS_TIME = 7,
    SB_GPS_DATUM = 0x12,
    SB_GPS_DATE = 0x1d
};

enum {
    SB_EXIF_BYTE = 1,
    SB_EXIF_ASCII = 2,
    SB_EXIF_SHORT = 3,
    SB_EXIF_LONG = 4,
    SB_EXIF_RATIONAL = 5,
    SB_EXIF_ANY = 7
};

struct sb_exif_block {
    const uint8_t *data;
    size_t size;
    bool big; /* endian */
};

/* Whether there is a block of that kind, and where its first directory begins. */
bool sb_exif_open(struct sb_exif_block *b, const uint8_t *data, size_t size, size_t *directory);
uint32_t sb_exif_number(const struct sb_exif_block *b, const uint8_t *at, int bytes);
/* An entry, of twelve bytes, of the directory that begins at `at`; NULL if it has none of that tag. */
const uint8_t *sb_exif_entry(const struct sb_exif_block *b, size_t at, uint32_t tag);
/* Where an entry of that tag and type has its values, which lie in the block; NULL if there is none. */
const uint8_t *sb_exif_values(const struct sb_exif_block *b, size_t directory, uint32_t tag, uint32_t type,
                              uint32_t *count);
/* The directory that an entry of the first one points at; 0 if there is none. */
size_t sb_exif_directory(const struct sb_exif_block *b, size_t first, uint32_t tag);

/* From *at on, the next segment of a JPEG that has a length, before its scan: found as libjpeg does, which passes over
 * filling and garbage. Its marker, with *at where its 0xff stands and *length all of it, which may be more than there
 * is; 0: there is none. */
int sb_jpeg_segment(const uint8_t *p, size_t size, size_t *at, size_t *length);
bool sb_jpeg_is_exif(const uint8_t *segment, size_t length);

#endif
