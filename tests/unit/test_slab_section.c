/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of the slab section, to the letter. */
#include "extract/extract.h"
#include "unit/slab_world.h"
#include "unit/suite.h"
#include "util/buf.h"

static int keep(void *arg, const char *line, size_t len)
{
    buf_append(arg, line, len);
    return 0;
}

START_TEST(records_of_the_section)
{
    struct buf out = BUF_INIT(1 << 16);
    struct error err = {0};
    struct image *im;
    struct kernel *k;
    struct emit *e = emit_new("slab", keep, &out);
    struct extract x = {.found = found, .emit = e, .err = &err};

    build_slub(SWAPPED);
    slab_layout_slub(found, HEAD);
    cache(0)->flags = 0x40020000;
    cache(0)->refcount = 3;
    add_cache(1, "damaged")->size = 0;
    x.k = k = open_kernel(&im);
    ck_assert_int_eq(extract_slab.run(&x), 0);
    ck_assert_str_eq(
        out.data,
        "{\"section\":\"slab\",\"record\":\"cache\",\"name\":\"test-512\",\"object_size_bytes\":"
        "500,"
        "\"stride_bytes\":512,\"order\":1,\"objects_per_slab\":16,\"slabs\":9,\"objects_total\":"
        "144,"
        "\"objects_active\":129,\"objects_allocated\":107,\"bytes\":73728,\"reclaimable\":true,"
        "\"exact\":true,\"flags\":\"0x40020000\",\"aliases\":2}\n"
        "{\"section\":\"slab\",\"record\":\"cache\",\"name\":\"damaged\",\"reclaimable\":false,"
        "\"exact\":false,\"flags\":\"0x0\",\"problem\":\"object size and slab size contradict each "
        "other\"}\n"
        "{\"section\":\"slab\",\"record\":\"total\",\"caches\":2,\"bytes\":73728,"
        "\"reclaimable_bytes\":73728,\"unreclaimable_bytes\":0,\"objects_total\":144,"
        "\"objects_active\":129,\"objects_allocated\":107,\"exact\":false}\n");
    ck_assert_str_eq(emit_partial_reason(e),
                     "damaged: object size and slab size contradict each other");
    emit_free(e);
    buf_done(&out);
    kernel_close(k);
    image_close(im);
}
END_TEST

UNIT_SUITE("slab_section", records_of_the_section)
