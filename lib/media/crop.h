/* Which pixels of a picture a box stands for; sb_crop() of resize.h cuts them out.
 *
 * A box is x y w h in pixels from the picture's top left corner, real numbers: 0 0 width height is the whole picture. A
 * region is whole pixels, at least one, and lies inside of the picture. */
#ifndef SB_MEDIA_CROP_H
#define SB_MEDIA_CROP_H

#include <stdbool.h>

struct sb_region {
    int x, y, width, height;
};

/* The part of a box that lies in a picture of width x height pixels (`clipped` may be NULL), and the pixels that this
 * part touches. False: none of it does, or it has no area, or a number that is not finite. */
bool sb_region_of_box(const double box[4], int width, int height, float clipped[4], struct sb_region *region);

/* What is cut out around a box, on each side. */
struct sb_margin {
    double size; /* pixels, or a part of the box's width (left and right) and height (above and below) */
    bool pixels;
};

/* "0.1" or "20px": -1 with a message for anything else. */
int sb_margin_parse(const char *text, struct sb_margin *margin);
void sb_margin_add(const struct sb_margin *margin, const double box[4], double wide[4]);

/* Makes the shorter side as long as the longer one, about the same middle, or as far beside it as the picture's edges
 * ask for; a picture that is too small for it is taken whole in that direction. */
void sb_region_square(struct sb_region *region, int width, int height);

/* Tile `index` of columns x rows, counted row by row: together all pixels of the picture. Without overlap none twice,
 * and sizes differ by at most a pixel; else tiles have one size, of which neighbours share the part `overlap` (rounded
 * up). There are at most as many columns and rows as pixels. */
void sb_region_tile(int width, int height, int columns, int rows, double overlap, int index, struct sb_region *region);

#endif
