/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The module section on the machine of fake_machine.h. */
#include <check.h>
#include <stdbool.h>

#include "unit/suite.h"
#include "unit/fake_machine.h"
#include "util/buf.h"

static struct tiny_core core;
static struct resolved found[64];
static struct buf lines;
static struct error err;
static char partial[240];

static struct fake_module *module(unsigned n)
{
    return fake_module(&core, n);
}

static void set_up(void)
{
    fake_machine(&core);
    fake_answer(&extract_module, found);
}

static int keep_line(void *arg, const char *line, size_t len)
{
    (void)arg;
    buf_append(&lines, line, len);
    return 0;
}

static int run(void)
{
    struct image *im = tiny_open(&core);
    struct kernel *k = NULL;
    struct emit *e = emit_new("module", keep_line, NULL);
    struct extract x;
    int r;

    ck_assert_uint_le(extract_module.n_needs, sizeof(found) / sizeof(found[0]));
    ck_assert_int_eq(kernel_open(im, NULL, 0, &err, &k), 0);
    buf_done(&lines);
    lines = BUF_INIT(1 << 20);
    x = (struct extract){k, found, e, &err};
    r = extract_module.run(&x);
    snprintf(partial, sizeof(partial), "%s", emit_partial_reason(e) ? emit_partial_reason(e) : "");
    emit_free(e);
    kernel_close(k);
    image_close(im);
    return r;
}

#define RECORD "{\"section\":\"module\",\"record\":\"module\","

static const char whole[] =
    RECORD "\"name\":\"drbd\",\"bytes\":12288,\"base\":\"0xffffffffc0010000\",\"state\":\"Live\","
           "\"refcount\":0,\"users\":[],\"taint\":\"OE\"}\n" RECORD
           "\"name\":\"dm_mod\",\"bytes\":16384,\"base\":\"0xffffffffc0020000\","
           "\"state\":\"Loading\",\"refcount\":0,\"users\":[],\"taint\":\"\"}\n" RECORD
           "\"name\":\"libcrc32c\",\"bytes\":12288,\"base\":\"0xffffffffc0030000\","
           "\"state\":\"Live\",\"refcount\":2,\"users\":[\"drbd\",\"dm_mod\"],\"taint\":\"\"}\n"
           "{\"section\":\"module\",\"record\":\"total\",\"modules\":3,\"bytes\":40960}\n";

START_TEST(modules_are_listed_as_proc_lists_them)
{
    set_up();
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(partial, "");
    ck_assert_str_eq(lines.data, whole);
}
END_TEST

/* The same modules in seven parts (v6.4 and later): the first is the base, all are the size. */
START_TEST(parts_are_added_up)
{
    struct resolved part = {.present = true, .size = 8};

    set_up();
    for (unsigned n = 1; n < 4; n++) {
        struct fake_module *m = module(n);

        m->mem[0].base = m->core_base;
        m->mem[0].size = 0x1000;
        m->mem[2].base = 0xffffffffc0900000;
        m->mem[2].size = 0x2000;
        m->mem[4].size = m->init_size;
        m->core_base = m->core_size = m->init_size = 0;
    }
    *fake_need(&extract_module, found, "module", "mem") =
        (struct resolved){.present = true,
                          .offset = offsetof(struct fake_module, mem),
                          .size = 7 * 16,
                          .elem_size = 16,
                          .elem_count = 7};
    *fake_need(&extract_module, found, "module_memory", "base") = part;
    part.offset = 8;
    *fake_need(&extract_module, found, "module_memory", "size") = part;
    fake_need(&extract_module, found, "module", "core_layout.base")->present = false;
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(lines.data, whole);
}
END_TEST

START_TEST(names_need_no_end_and_obey_nothing)
{
    set_up();
    memset(module(1)->name, 'x', sizeof(module(1)->name));
    strcpy(module(2)->name, "a\"\n\xff");
    ck_assert_int_eq(run(), 0);
    ck_assert_ptr_nonnull(
        strstr(lines.data, "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\",\"bytes"));
    ck_assert_ptr_nonnull(strstr(lines.data, "\"a\\\"\\u000a\\\\xff\",\"bytes"));
}
END_TEST

START_TEST(without_unloading_nobody_is_counted)
{
    set_up();
    fake_need(&extract_module, found, "module", "refcnt")->present = false;
    fake_need(&extract_module, found, "module", "source_list")->present = false;
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(partial, "");
    ck_assert_ptr_null(strstr(lines.data, "refcount"));
    ck_assert_ptr_null(strstr(lines.data, "users"));
}
END_TEST

START_TEST(damage_costs_only_itself)
{
    set_up();
    module(3)->source_list.next = 0xffff888000000000;
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(partial, "users of a module: Bad address");
    ck_assert_ptr_nonnull(strstr(lines.data, "libcrc32c"));
    set_up();
    ((struct fake_use *)fake_at(&core, AT_USES))->source = 1;
    ck_assert_int_eq(run(), 0);
    ck_assert_ptr_nonnull(strstr(lines.data, "\"users\":[\"dm_mod\"]"));
    set_up();
    module(2)->list.next = fake_module_va(1); /* a circle without the head */
    ck_assert_int_eq(run(), 0);
    ck_assert_str_ne(partial, "");
    ck_assert_ptr_nonnull(strstr(lines.data, "\"record\":\"total\""));
    set_up();
    memset(fake_at(&core, AT_MODULES), 0, 16);
    ck_assert_int_lt(run(), 0);
    ck_assert_str_eq(err.text, "the list of modules cannot be read: Bad message");
}
END_TEST

/* More users than a line can hold: the module is listed with the first of them. */
START_TEST(endless_users_do_not_fill_the_line)
{
    set_up();
    for (unsigned use = 2; use < 700; use++)
        fake_add_user(&core, use, 3, 2);
    memset(module(2)->name, 1, sizeof(module(2)->name)); /* six bytes each when escaped */
    ck_assert_int_eq(run(), 0);
    ck_assert_str_eq(partial, "users of a module: Argument list too long");
    ck_assert_ptr_nonnull(strstr(lines.data, "\"record\":\"total\",\"modules\":3"));
}
END_TEST

UNIT_SUITE("module", modules_are_listed_as_proc_lists_them, parts_are_added_up,
           names_need_no_end_and_obey_nothing, without_unloading_nobody_is_counted,
           damage_costs_only_itself, endless_users_do_not_fill_the_line)
