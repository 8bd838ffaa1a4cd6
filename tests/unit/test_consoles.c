/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "capture/consoles.h"
#include "unit/suite.h"
#include "util/buf.h"

static const char *parsed(const char *active)
{
    static char text[2000];
    struct consoles c;

    consoles_parse(active, &c);
    text[0] = '\0';
    for (size_t i = 0; i < c.n; i++)
        strcat(strcat(text, i ? " " : ""), c.path[i]);
    return text;
}

START_TEST(each_console_gets_the_digest)
{
    ck_assert_str_eq(parsed("ttyS0 tty0\n"), "/dev/ttyS0 /dev/tty0");
    ck_assert_str_eq(parsed("hvc0\n"), "/dev/hvc0");
}
END_TEST

/* Without sysfs, or where only netconsole prints, a terminal may still be there. */
START_TEST(dev_console_if_none_is_told)
{
    ck_assert_str_eq(parsed(""), "/dev/console");
    ck_assert_str_eq(parsed(" \n"), "/dev/console");
}
END_TEST

START_TEST(only_names_are_taken_and_not_too_many)
{
    char name[400];

    ck_assert_str_eq(parsed("../sda ttyS0/x . .. ttyS1"), "/dev/ttyS1");
    ck_assert_str_eq(parsed("a b c d e f g h"), "/dev/a /dev/b /dev/c /dev/d /dev/e /dev/f");
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_str_eq(parsed(name), "/dev/console");
    name[200] = '\0';
    ck_assert_str_eq(parsed(name) + sizeof("/dev"), name);
}
END_TEST

UNIT_SUITE("consoles", each_console_gets_the_digest, dev_console_if_none_is_told,
           only_names_are_taken_and_not_too_many)
