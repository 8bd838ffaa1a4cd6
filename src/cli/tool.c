/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture/child.h"
#include "util/cleanup.h"

struct tool {
    const char *const *argv;
    rlim_t limit_bytes;
    int out;
};

/* In the child. */
static int run_tool(void *arg)
{
    const struct tool *t = arg;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (dup2(null, STDIN_FILENO) < 0 || dup2(t->out, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        return 127;
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){t->limit_bytes, t->limit_bytes});
    execvp(t->argv[0], (char *const *)t->argv);
    return 127;
}

int tool_output(const char *const *argv, unsigned seconds, struct buf *ret)
{
    _cleanup_close_ int out = memfd_create("output", MFD_CLOEXEC);
    struct tool t = {argv, ret->limit, out};
    char piece[64 << 10];
    ssize_t n;
    int r, sig;

    if (out < 0)
        return -errno;
    r = child_run(run_tool, &t, seconds * 1000ull, &(struct child_limits){0}, &sig);
    if (r < 0)
        return r;
    if (lseek(out, 0, SEEK_SET) < 0)
        return -errno;
    while ((n = read(out, piece, sizeof(piece))) > 0)
        buf_append(ret, piece, (size_t)n);
    return ret->full ? -EFBIG : r;
}
