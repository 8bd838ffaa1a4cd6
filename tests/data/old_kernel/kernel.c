/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel of 3.10's time has in its memory, as far as a capture looks: tests/t/old_kernel.sh
 * compiles and links it, and makes a vmcore of the result. Its types are in the DWARF alone, its
 * symbols in the ELF file alone; VMCOREINFO tells where the log is. The declarations are those of
 * v3.10 with the members left out that nobody asks for.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* --- kernel/printk.c: struct log, called printk_log from v3.11 on --- */
struct log {
    u64 ts_nsec;
    u16 len, text_len, dict_len;
    u8 facility;
    u8 flags : 5;
    u8 level : 3;
};

#define MICROSECOND  1000ULL
#define PADDED(text) ((sizeof(text) - 1 + 7) & ~7ul)

#define LINES(LINE)                                                                                \
    LINE(0, 0, 6, 100000000,                                                                       \
         "Linux version 3.10.0-test (mock@builder) (gcc version 4.8.5) #1 SMP Mon Oct 19 "         \
         "16:18:59 UTC 2020")                                                                      \
    LINE(1, 1, 1, 7000000000, "Kernel panic - not syncing: said by a user")                        \
    LINE(2, 0, 4, 7200000001,                                                                      \
         "mysqld invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0")                  \
    LINE(3, 0, 4, 7200000002, "Mem-Info:")                                                         \
    LINE(4, 0, 6, 7200000003,                                                                      \
         "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name")              \
    LINE(5, 0, 6, 7200000004,                                                                      \
         "[ 1234]    27  1234   280000    90000     260        0             0 mysqld")            \
    LINE(6, 0, 6, 7200000005,                                                                      \
         "[   77]     0    77    28000      123      60        0         -1000 sshd")              \
    LINE(7, 0, 3, 7200000006,                                                                      \
         "Out of memory: Kill process 1234 (mysqld) score 800 or sacrifice child")                 \
    LINE(8, 0, 3, 7200000007,                                                                      \
         "Killed process 1234 (mysqld) total-vm:1120000kB, anon-rss:360000kB, file-rss:0kB")       \
    LINE(9, 0, 0, 7300000000, "Kernel panic - not syncing: sysrq triggered crash\n")               \
    LINE(10, 0, 4, 7300000001, "CPU: 0 PID: 4711 Comm: bash Not tainted 3.10.0-test #1")

#define FIELD(n, f, l, us, said)                                                                   \
    struct {                                                                                       \
        struct log head;                                                                           \
        char text[PADDED(said)];                                                                   \
    } r##n;
#define VALUE(n, f, l, us, text)                                                                   \
    .r##n = {{(us)*MICROSECOND, sizeof(struct log) + PADDED(text), sizeof(text) - 1, 0, f, 0, l},  \
             text},

struct ring {
    LINES(FIELD)
};
static struct ring ring = {LINES(VALUE)};
struct ring *log_buf = &ring;
u32 log_buf_len = sizeof(ring) + 64;
u32 log_first_idx = 0;
u32 log_next_idx = sizeof(ring);

/* --- include/linux/utsname.h --- */
struct uts_namespace {
    int kref;
    struct {
        char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
    } name;
} init_uts_ns = {2,
                 {"Linux", "old.example", "3.10.0-test", "#1 SMP Mon Oct 19 16:18:59 UTC 2020",
                  "x86_64", "(none)"}};
const char linux_banner[] = "Linux version 3.10.0-test (mock@builder) (gcc version 4.8.5) "
                            "#1 SMP Mon Oct 19 16:18:59 UTC 2020\n";

/* --- the machine's state --- */
unsigned long avenrun[3] = {3072, 1, 4096000}; /* of 2048 each: 1.50 0.00 2000.00 */
int nr_threads = 321;
unsigned long tainted_mask = 0x1201; /* P, W and O */
char *saved_command_line = (char *)"root=/dev/vda1 quiet";

/* --- mm/slub.c --- */
struct list_head {
    struct list_head *next, *prev;
};
struct kmem_cache_node {
    int list_lock;
    unsigned long nr_partial;
    struct list_head partial;
    long nr_slabs, total_objects; /* atomic_long_t */
};
struct kmem_cache {
    void *cpu_slab;
    unsigned long flags, min_partial;
    int size, object_size, offset;
    struct {
        unsigned long x;
    } oo;
    int refcount;
    const char *name;
    struct list_head list;
    struct kmem_cache_node *node[1];
};
extern struct kmem_cache dentry, task_struct_cache;
struct list_head slab_caches = {&dentry.list, &task_struct_cache.list};
struct kmem_cache_node dentry_node = {
    0, 0, {&dentry_node.partial, &dentry_node.partial}, 1000, 21000};
struct kmem_cache_node task_node = {0, 0, {&task_node.partial, &task_node.partial}, 5, 35};
struct kmem_cache dentry = {0,
                            0,
                            5,
                            192,
                            192,
                            0,
                            {21},
                            1,
                            "dentry",
                            {&task_struct_cache.list, &slab_caches},
                            {&dentry_node}};
struct kmem_cache task_struct_cache = {
    0,           0, 5, 4608, 4528, 0, {3 << 16 | 7}, 1, "task_struct", {&slab_caches, &dentry.list},
    {&task_node}};

/* the linker's note, with a build id */
__asm__(".pushsection .notes,\"a\",@note\n"
        ".globl __start_notes\n__start_notes:\n"
        ".long 4, 20, 3\n"
        ".ascii \"GNU\\0\"\n"
        ".byte 0xde,0xad,0xbe,0xef,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19\n"
        ".popsection");
void _stext(void)
{
}
