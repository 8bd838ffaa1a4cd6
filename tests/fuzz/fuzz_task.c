/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task and module sections on the machine of unit/fake_machine.h, damaged: the input is a list
 * of {u16 place in units of 4 bytes, u16 flags, u64 value}, each of which overwrites 8 bytes. With
 * flag bit 0 the value is an offset into the machine's memory and becomes a pointer there.
 */
#include <stdlib.h>

#include "unit/fake_machine.h"
#include "util/cursor.h"

#define MAX_NEEDS 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_line(void *arg, const char *line, size_t len)
{
    (void)arg;
    if (!len || line[len - 1] != '\n' || memchr(line, '\n', len) != line + len - 1)
        abort(); /* a line is one line, whatever names hold */
    return 0;
}

static void run(const struct extractor *x, struct kernel *k)
{
    static struct resolved found[MAX_NEEDS];
    struct error err = {0};
    struct emit *e = emit_new(x->name, take_line, NULL);
    struct extract run = {k, found, e, &err};

    if (x->n_needs > MAX_NEEDS)
        abort();
    fake_answer(x, found);
    if (x->run(&run) < 0 && !err.text[0])
        abort(); /* a failure has a reason */
    emit_free(e);
}

static void damage(struct tiny_core *c, const uint8_t *data, size_t size)
{
    struct cursor in = cursor_init(data, size);

    while (cursor_left(&in) >= 12) {
        uint64_t place = AT_INIT_TASK + cursor_u16(&in) * 4ULL % (FAKE_END - AT_INIT_TASK);
        uint16_t flags = cursor_u16(&in);
        uint64_t value = cursor_u64(&in);

        if (flags & 1)
            value = fake_va(AT_INIT_TASK + value % (FAKE_END - AT_INIT_TASK));
        tiny_put(c, place, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tiny_core core;
    struct error err = {0};
    struct kernel *k = NULL;
    struct image *im;

    fake_machine(&core);
    damage(&core, data, size);
    im = tiny_open(&core);
    if (kernel_open(im, NULL, 0, &err, &k))
        abort();
    run(&extract_task, k);
    run(&extract_module, k);
    kernel_close(k);
    image_close(im);
    return 0;
}
