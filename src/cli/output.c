/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

#define COLUMNS_WANTED 80
#define COLUMNS_LEAST  40

int color_parse(const char *word, enum color_when *ret)
{
    static const char *const words[] = {
        [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (!strcmp(word, words[i])) {
            *ret = (enum color_when)i;
            return 0;
        }
    return -EINVAL;
}

static bool env_is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

static bool terminal_is_dumb(void)
{
    const char *term = getenv("TERM");

    return !term || !*term || !strcmp(term, "dumb");
}

/* The pager's command line for the shell, or NULL. */
static const char *pager_command(void)
{
    const char *pager = getenv("SYSTEMD_PAGER");

    if (!pager)
        pager = getenv("PAGER");
    if (!pager)
        return "less 2>/dev/null || more";
    return *pager && strcmp(pager, "cat") ? pager : NULL;
}

__attribute__((noreturn)) static void run_pager(const char *command)
{
    signal(SIGPIPE, SIG_DFL);
    /* F: end if it fits a screen, R: let SGR through and nothing else, S: chop, X: leave the text
     * there, M: long prompt, K: end on ^C. As systemd's pager.c sets it. */
    setenv("LESS", env_is_set("SYSTEMD_LESS") ? getenv("SYSTEMD_LESS") : "FRSXMK", 1);
    setenv("LESSCHARSET", "utf-8", 0);
    /* no shell, no editor, no other files from inside the pager: root reads these summaries */
    setenv("LESSSECURE", "1", 1);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void start_pager(struct output *o, const char *command)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC))
        return;
    fflush(stdout);
    pid = fork();
    if (!pid) {
        dup2(fds[0], STDIN_FILENO);
        run_pager(command);
    }
    close(fds[0]);
    if (pid > 0) {
        signal(SIGPIPE, SIG_IGN);
        dup2(fds[1], STDOUT_FILENO);
        o->pager = pid;
    }
    close(fds[1]);
}

void output_open(struct output *o, enum color_when color, bool use_pager)
{
    struct winsize size = {0};
    const char *command = pager_command();

    *o = (struct output){.terminal = isatty(STDOUT_FILENO), .columns = COLUMNS_WANTED};
    o->color = color == COLOR_ALWAYS || (color == COLOR_AUTO && o->terminal &&
                                         !env_is_set("NO_COLOR") && !terminal_is_dumb());
    if (o->terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= COLUMNS_LEAST &&
        size.ws_col < COLUMNS_WANTED)
        o->columns = size.ws_col;
    if (use_pager && o->terminal && command && !terminal_is_dumb())
        start_pager(o, command);
}

int output_write(void *arg, const char *text, size_t len)
{
    (void)arg;
    if (fwrite(text, 1, len, stdout) == len)
        return 0;
    return errno ? -errno : -EIO;
}

void output_close(struct output *o)
{
    int status, null;

    if (!o->pager)
        return;
    fflush(stdout);
    clearerr(stdout);
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDOUT_FILENO); /* closes our end of the pipe: the pager sees the end */
        close(null);
    } else {
        close(STDOUT_FILENO);
    }
    while (waitpid(o->pager, &status, 0) < 0 && errno == EINTR)
        ;
    o->pager = 0;
}
