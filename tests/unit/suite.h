/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_SUITE_H
#define UNIT_SUITE_H

#include <check.h>
#include <stdlib.h>

/*
 * The main() of a unit test program: UNIT_SUITE("room", test_a, test_b, …) with tests written by
 * libcheck's START_TEST. libcheck forks each one and writes TAP where tests/run.sh asks for it.
 */
static int unit_main(const char *name, const TTest *const tests[], size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    for (size_t i = 0; i < n; i++)
        tcase_add_test(tcase, tests[i]);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define UNIT_SUITE(name_, ...)                                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
                                                                                                   \
        return unit_main(name_, tests, sizeof(tests) / sizeof(tests[0]));                          \
    }

#endif
