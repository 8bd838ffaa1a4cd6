/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slab section on the memory of unit/slab_world.h, damaged. The input's first byte chooses the
 * layout (0 struct slab, 1 struct page, 2 sheaves, 3 SLAB); then follow {u16 place in units of 8
 * bytes, u16 flags, u64 value}, each of which overwrites 8 bytes. With flag bit 0 the value is an
 * offset into the memory and becomes a pointer there.
 */
#include <stdlib.h>

#include "extract/extract.h"
#include "unit/slab_world.h"
#include "util/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORLD_END (SLABS + 64 * 64)

static int take_line(void *arg, const char *line, size_t len)
{
    (void)arg;
    if (!len || line[len - 1] != '\n' || memchr(line, '\n', len) != line + len - 1)
        abort(); /* a line is one line, whatever names hold */
    return 0;
}

static void (*const layouts[4])(struct resolved found[N_SLAB_NEEDS], uint64_t head_phys) = {
    slab_layout_slub, slab_layout_page, slab_layout_sheaves, slab_layout_array};

static void build(uint8_t which)
{
    if (which % 4 == 2)
        node(0)->barn = build_sheaves();
    else
        build_slub(SWAPPED);
    layouts[which % 4](found, HEAD);
    if (which % 4 == 2)
        found[NODE_BARN] = MEMBER(struct fake_node, barn);
    add_cache(1, "second");
    add_node(1, 0, 1);
}

static void damage(struct cursor *in)
{
    while (cursor_left(in) >= 12) {
        uint64_t place = HEAD + cursor_u16(in) * 8ULL % (WORLD_END - HEAD);
        uint16_t flags = cursor_u16(in);
        uint64_t value = cursor_u64(in);

        if (flags & 1)
            value = VA(value % WORLD_END);
        tiny_put(&core, place, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor in = cursor_init(data, size);
    struct error err = {0};
    struct emit *e = emit_new("slab", take_line, NULL);
    struct extract x = {.found = found, .emit = e, .err = &err};
    struct image *im;

    build(cursor_u8(&in));
    damage(&in);
    x.k = open_kernel(&im);
    if (extract_slab.run(&x) < 0 && !err.text[0])
        abort(); /* a failure has a reason */
    emit_free(e);
    kernel_close(x.k);
    image_close(im);
    return 0;
}
