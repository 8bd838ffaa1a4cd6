/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/deadline.h"
#include "util/math.h"

/* What a killed process on a busy single CPU may take until it can be reaped. */
#define KILLED_WAIT_MS 1000

/* A short text to a file of /proc; what cannot be set stays. */
static void set_proc(const char *path, const char *value)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? write(fd, value, strlen(value)) : 0;

    (void)n;
}

/*
 * Private writable memory that the kernel counts against RLIMIT_DATA, as inherited from the parent:
 * the sixth number of /proc/self/statm, in pages (Documentation/filesystems/proc.rst).
 */
static uint64_t data_bytes(void)
{
    char text[256];
    _cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    unsigned long long pages = 0;
    char *end = text;

    if (n <= 0)
        return 1 << 20;
    text[n] = '\0';
    /* not sscanf(): it alone would add 80 KiB to the static program */
    for (int field = 0; field < 6; field++)
        pages = strtoull(end, &end, 10);
    return sat_mul_u64(pages, (uint64_t)sysconf(_SC_PAGESIZE));
}

static void set_limit(__rlimit_resource_t resource, uint64_t soft, uint64_t hard)
{
    setrlimit(resource, &(struct rlimit){soft, hard});
}

static void set_limits(const struct child_limits *limits)
{
    uint64_t cpu_s = limits->cpu_ms / 1000 + 2;

    set_limit(RLIMIT_CORE, 0, 0);
    if (limits->cpu_ms)
        set_limit(RLIMIT_CPU, cpu_s, cpu_s + 1);
    if (limits->memory_bytes) {
        uint64_t bytes = sat_add_u64(data_bytes(), limits->memory_bytes);

        set_limit(RLIMIT_DATA, bytes, bytes);
    }
    if (limits->expendable)
        set_proc("/proc/self/oom_score_adj", "1000");
}

static void reset_signals(void)
{
    sigset_t none;

    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL); /* refused for SIGKILL, SIGSTOP and libc's own */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

pid_t child_fork(const struct child_limits *limits)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        return -errno;
    if (pid) {
        setpgid(pid, pid); /* on both sides: whoever comes first */
        return pid;
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE); /* it died before prctl() */
    reset_signals();
    set_limits(limits);
    return 0;
}

/* Sleeps until the process may have ended, or a while: pidfd_open(2) came only with Linux 5.3. */
static void sleep_on(int pidfd, uint64_t deadline_ns, long *io_nap_ns)
{
    struct pollfd p = {pidfd, POLLIN, 0};

    if (pidfd >= 0) {
        poll(&p, 1, deadline_left_ms(deadline_ns));
        return;
    }
    nanosleep(&(struct timespec){0, *io_nap_ns}, NULL);
    *io_nap_ns = (long)min_u64((uint64_t)*io_nap_ns * 2, 20 * NSEC_PER_MSEC);
}

/* While it is not reaped its number is its own, and so is its group's. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};

    return !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

bool child_wait(pid_t pid, uint64_t deadline_ns, struct child_exit *ret)
{
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    long nap_ns = 200 * NSEC_PER_USEC;
    struct rusage usage;
    int status;

    while (!has_ended(pid)) {
        if (deadline_passed(deadline_ns))
            return false;
        sleep_on(pidfd, deadline_ns, &nap_ns);
    }
    kill(-pid, SIGKILL); /* what it forked */
    if (wait4(pid, &status, 0, &usage) != pid)
        return false;
    *ret = (struct child_exit){status, (uint64_t)usage.ru_maxrss * 1024};
    return true;
}

void child_kill(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL); /* should it have left its group */
}

bool child_end(pid_t pid, struct child_exit *ret)
{
    child_kill(pid);
    return child_wait(pid, deadline_after_ms(KILLED_WAIT_MS), ret);
}

int child_run(int (*fn)(void *arg), void *arg, uint64_t timeout_ms,
              const struct child_limits *limits, int *ret_signal)
{
    struct child_exit end;
    pid_t pid;

    fflush(NULL); /* or both would write what is buffered */
    pid = child_fork(limits);
    if (pid < 0)
        return pid;
    if (!pid)
        exit(fn(arg));
    if (!child_wait(pid, deadline_after_ms(timeout_ms), &end)) {
        child_end(pid, &end);
        return -ETIME;
    }
    if (!WIFSIGNALED(end.status))
        return WEXITSTATUS(end.status);
    *ret_signal = WTERMSIG(end.status);
    return -ECHILD;
}

const char *child_signal_name(int signal)
{
    static const char *const names[] = {
        [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",   [SIGHUP] = "SIGHUP",
        [SIGILL] = "SIGILL",   [SIGINT] = "SIGINT",   [SIGKILL] = "SIGKILL", [SIGPIPE] = "SIGPIPE",
        [SIGQUIT] = "SIGQUIT", [SIGSEGV] = "SIGSEGV", [SIGSYS] = "SIGSYS",   [SIGTERM] = "SIGTERM",
        [SIGTRAP] = "SIGTRAP", [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ",
    };

    if (signal > 0 && (size_t)signal < ARRAY_SIZE(names) && names[signal])
        return names[signal];
    return "another signal";
}
