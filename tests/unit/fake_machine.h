/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_FAKE_MACHINE_H
#define UNIT_FAKE_MACHINE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "extract/extract.h"
#include "unit/tiny_core.h"

/*
 * A kernel made up for tests of the task and module sections: its structures as C has them here,
 * and the answers that needs tables would get from its BTF. Addresses are TINY_TEXT + physical.
 */
struct fake_list {
    uint64_t next, prev;
};

struct fake_task {
    struct fake_list tasks, thread_node;
    uint64_t signal, mm, real_parent, real_cred, cgroups, vfork_done;
    uint64_t last_arrival;
    uint32_t state, exit_state, flags, cpu, pid, tgid;
    char comm[16];
    int32_t rss_cache[4];
    struct fake_list pid_links[4];
};

struct fake_signal {
    struct fake_list thread_head;
    int16_t oom_score_adj;
    uint8_t pad[6];
};

struct fake_mm {
    int64_t rss[4];
    uint64_t total_vm, pgtables_bytes, flags;
};

struct fake_css_set {
    uint64_t dfl_cgrp, subsys[4];
};

struct fake_kernfs {
    uint64_t parent, name;
};

struct fake_xa_node {
    uint64_t shift, slots[64];
};

struct fake_pid {
    uint64_t tasks[4];
};

struct fake_module {
    struct fake_list list, source_list;
    uint32_t state, refcnt;
    char name[56];
    uint64_t taints;
    uint64_t core_base, init_base;
    uint32_t core_size, init_size;
    struct {
        uint64_t base, size;
    } mem[7];
};

struct fake_use {
    struct fake_list source_list;
    uint64_t source;
};

/* Physical places of what symbols name, and of the first object of each kind. */
enum {
    AT_INIT_TASK = 0x10000,
    AT_NR_THREADS = 0x10400,
    AT_TOTALRAM = 0x10408,
    AT_TOTAL_SWAP = 0x10410,
    AT_PID_NS = 0x10418, /* its only member: the idr's xa_head */
    AT_MODULES = 0x10420,
    AT_TASKS = 0x11000, /* a task every 0x200 bytes; its own signal, mm and pid follow elsewhere */
    AT_SIGNALS = 0x20000,
    AT_MMS = 0x21000,
    AT_CRED = 0x22000,
    AT_CSS_SET = 0x22100,
    AT_CGROUPS = 0x22200, /* {root, kn} */
    AT_KERNFS = 0x22300,
    AT_NAMES = 0x22400,
    AT_XA = 0x23000,
    AT_PIDS = 0x24000,
    AT_MODULE = 0x30000, /* a module every 0x200 bytes */
    AT_USES = 0x38000,
    FAKE_END = 0x40000,
};

static inline uint64_t fake_va(uint64_t phys)
{
    return TINY_TEXT + phys;
}

struct fake_fact {
    const char *type, *name;
    struct resolved r;
};

#define FAKE_MEMBER(type_, name_, struct_, field_)                                                 \
    {                                                                                              \
        type_, name_,                                                                              \
        {                                                                                          \
            .present = true, .offset = offsetof(struct struct_, field_),                           \
            .size = sizeof(((struct struct_ *)0)->field_)                                          \
        }                                                                                          \
    }
#define FAKE_ARRAY(type_, name_, struct_, field_)                                                  \
    {                                                                                              \
        type_, name_,                                                                              \
        {                                                                                          \
            .present = true, .offset = offsetof(struct struct_, field_),                           \
            .size = sizeof(((struct struct_ *)0)->field_),                                         \
            .elem_size = sizeof(((struct struct_ *)0)->field_[0]),                                 \
            .elem_count =                                                                          \
                sizeof(((struct struct_ *)0)->field_) / sizeof(((struct struct_ *)0)->field_[0])   \
        }                                                                                          \
    }
#define FAKE_SYMBOL(name_, phys_)                                                                  \
    {                                                                                              \
        NULL, name_,                                                                               \
        {                                                                                          \
            .present = true, .addr = TINY_TEXT + (phys_)                                           \
        }                                                                                          \
    }
#define FAKE_ENUMERATOR(type_, name_, value_)                                                      \
    {                                                                                              \
        type_, name_,                                                                              \
        {                                                                                          \
            .present = true, .value = (value_)                                                     \
        }                                                                                          \
    }

static const struct fake_fact fake_facts[] = {
    FAKE_SYMBOL("init_task", AT_INIT_TASK),
    FAKE_SYMBOL("nr_threads", AT_NR_THREADS),
    FAKE_SYMBOL("_totalram_pages", AT_TOTALRAM),
    FAKE_SYMBOL("total_swap_pages", AT_TOTAL_SWAP),
    FAKE_SYMBOL("init_pid_ns", AT_PID_NS),
    FAKE_SYMBOL("modules", AT_MODULES),
    FAKE_MEMBER("task_struct", "tasks", fake_task, tasks),
    FAKE_MEMBER("task_struct", "thread_node", fake_task, thread_node),
    FAKE_MEMBER("task_struct", "signal", fake_task, signal),
    FAKE_MEMBER("task_struct", "mm", fake_task, mm),
    FAKE_MEMBER("task_struct", "real_parent", fake_task, real_parent),
    FAKE_MEMBER("task_struct", "real_cred", fake_task, real_cred),
    FAKE_MEMBER("task_struct", "cgroups", fake_task, cgroups),
    FAKE_MEMBER("task_struct", "vfork_done", fake_task, vfork_done),
    FAKE_MEMBER("task_struct", "sched_info.last_arrival", fake_task, last_arrival),
    FAKE_MEMBER("task_struct", "__state", fake_task, state),
    FAKE_MEMBER("task_struct", "exit_state", fake_task, exit_state),
    FAKE_MEMBER("task_struct", "flags", fake_task, flags),
    FAKE_MEMBER("task_struct", "thread_info.cpu", fake_task, cpu),
    FAKE_MEMBER("task_struct", "pid", fake_task, pid),
    FAKE_MEMBER("task_struct", "tgid", fake_task, tgid),
    FAKE_ARRAY("task_struct", "comm", fake_task, comm),
    FAKE_ARRAY("task_struct", "rss_stat.count", fake_task, rss_cache),
    FAKE_ARRAY("task_struct", "pid_links", fake_task, pid_links),
    FAKE_MEMBER("signal_struct", "thread_head", fake_signal, thread_head),
    FAKE_MEMBER("signal_struct", "oom_score_adj", fake_signal, oom_score_adj),
    FAKE_MEMBER("mm_struct", "rss_stat", fake_mm, rss),
    FAKE_ARRAY("mm_struct", "rss_stat.count", fake_mm, rss),
    FAKE_MEMBER("mm_struct", "total_vm", fake_mm, total_vm),
    FAKE_MEMBER("mm_struct", "pgtables_bytes", fake_mm, pgtables_bytes),
    FAKE_MEMBER("mm_struct", "flags", fake_mm, flags),
    {"cred", "uid", {.present = true, .offset = 4, .size = 4}},
    {"oom_control", "chosen_points", {.present = true, .size = 8, .is_signed = true}},
    FAKE_MEMBER("css_set", "dfl_cgrp", fake_css_set, dfl_cgrp),
    FAKE_ARRAY("css_set", "subsys", fake_css_set, subsys),
    {"cgroup_subsys_state", "cgroup", {.present = true, .offset = 0, .size = 8}},
    {"cgroup", "root", {.present = true, .offset = 0, .size = 8}},
    {"cgroup", "kn", {.present = true, .offset = 8, .size = 8}},
    FAKE_MEMBER("kernfs_node", "parent", fake_kernfs, parent),
    FAKE_MEMBER("kernfs_node", "name", fake_kernfs, name),
    FAKE_ENUMERATOR("cgroup_subsys_id", "memory_cgrp_id", 2),
    {"pid_namespace", "idr.idr_rt.xa_head", {.present = true, .offset = 0, .size = 8}},
    FAKE_ARRAY("xa_node", "slots", fake_xa_node, slots),
    {"xa_node", "shift", {.present = true, .offset = 0, .size = 1}},
    FAKE_ARRAY("pid", "tasks", fake_pid, tasks),
    FAKE_ENUMERATOR("pid_type", "PIDTYPE_TGID", 1),
    FAKE_MEMBER("module", "list", fake_module, list),
    FAKE_MEMBER("module", "source_list", fake_module, source_list),
    FAKE_MEMBER("module", "state", fake_module, state),
    FAKE_MEMBER("module", "refcnt", fake_module, refcnt),
    FAKE_ARRAY("module", "name", fake_module, name),
    FAKE_MEMBER("module", "taints", fake_module, taints),
    FAKE_MEMBER("module", "core_layout.base", fake_module, core_base),
    FAKE_MEMBER("module", "core_layout.size", fake_module, core_size),
    FAKE_MEMBER("module", "init_layout.size", fake_module, init_size),
    FAKE_MEMBER("module_use", "source_list", fake_use, source_list),
    FAKE_MEMBER("module_use", "source", fake_use, source),
    FAKE_ENUMERATOR("module_state", "MODULE_STATE_LIVE", 0),
    FAKE_ENUMERATOR("module_state", "MODULE_STATE_COMING", 1),
    FAKE_ENUMERATOR("module_state", "MODULE_STATE_GOING", 2),
    FAKE_ENUMERATOR("module_state", "MODULE_STATE_UNFORMED", 3),
};

/* Answers x's needs; found has x->n_needs entries. What the made-up kernel lacks stays absent. */
static inline void fake_answer(const struct extractor *x, struct resolved *found)
{
    memset(found, 0, x->n_needs * sizeof(*found));
    for (size_t i = 0; i < x->n_needs; i++)
        for (size_t f = 0; f < sizeof(fake_facts) / sizeof(fake_facts[0]); f++)
            if ((x->needs[i].type == NULL) == (fake_facts[f].type == NULL) &&
                (!x->needs[i].type || !strcmp(x->needs[i].type, fake_facts[f].type)) &&
                x->needs[i].name && !strcmp(x->needs[i].name, fake_facts[f].name))
                found[i] = fake_facts[f].r;
}

/* The answer to one need, to change it. NULL if x has no such need. */
static inline struct resolved *fake_need(const struct extractor *x, struct resolved *found,
                                         const char *type, const char *name)
{
    for (size_t i = 0; i < x->n_needs; i++)
        if (x->needs[i].type && x->needs[i].name && !strcmp(x->needs[i].type, type) &&
            !strcmp(x->needs[i].name, name))
            return &found[i];
    return NULL;
}

/* --- the machine ------------------------------------------------------------------------------ */

#define FAKE_KTHREAD 0x200000
#define FAKE_ZOMBIE  0x20

static inline void *fake_at(struct tiny_core *c, uint64_t phys)
{
    TINY_REQUIRE(phys < FAKE_END);
    return c->ram + phys;
}

static inline struct fake_task *fake_task(struct tiny_core *c, unsigned n)
{
    return fake_at(c, AT_TASKS + n * 0x200);
}

static inline uint64_t fake_task_va(unsigned n)
{
    return fake_va(AT_TASKS + n * 0x200);
}

static inline struct fake_mm *fake_mm(struct tiny_core *c, unsigned n)
{
    return fake_at(c, AT_MMS + n * 0x100);
}

static inline struct fake_signal *fake_signal(struct tiny_core *c, unsigned n)
{
    return fake_at(c, AT_SIGNALS + n * 0x40);
}

static inline struct fake_module *fake_module(struct tiny_core *c, unsigned n)
{
    return fake_at(c, AT_MODULE + n * 0x200);
}

static inline uint64_t fake_module_va(unsigned n)
{
    return fake_va(AT_MODULE + n * 0x200);
}

/* Links a node before the head, as list_add_tail() does. */
static inline void fake_list_add(struct tiny_core *c, uint64_t head_va, uint64_t node_va)
{
    struct fake_list *head = fake_at(c, head_va - TINY_TEXT), *last;
    struct fake_list *node = fake_at(c, node_va - TINY_TEXT);

    if (!head->next)
        head->next = head->prev = head_va;
    last = fake_at(c, head->prev - TINY_TEXT);
    *node = (struct fake_list){head_va, head->prev};
    last->next = node_va;
    head->prev = node_va;
}

static inline void fake_add_thread(struct tiny_core *c, unsigned n, unsigned leader, uint32_t pid,
                                   const char *comm)
{
    struct fake_task *t = fake_task(c, n);

    t->signal = fake_va(AT_SIGNALS + leader * 0x40);
    t->pid = pid;
    t->tgid = fake_task(c, leader)->pid;
    t->real_parent = fake_task_va(0);
    t->real_cred = fake_va(AT_CRED);
    t->cgroups = fake_va(AT_CSS_SET);
    memcpy(t->comm, comm, strlen(comm));
    fake_list_add(c, t->signal + offsetof(struct fake_signal, thread_head),
                  fake_task_va(n) + offsetof(struct fake_task, thread_node));
}

/* A process: its leader, in the list and in the tree of pids at slot n. */
static inline void fake_add_process(struct tiny_core *c, unsigned n, uint32_t pid, const char *comm)
{
    struct fake_pid *p = fake_at(c, AT_PIDS + n * 0x40);
    struct fake_xa_node *xa = fake_at(c, AT_XA);

    fake_task(c, n)->pid = pid;
    fake_add_thread(c, n, n, pid, comm);
    fake_list_add(c, fake_va(AT_INIT_TASK), fake_task_va(n));
    p->tasks[1] = fake_task_va(n) + offsetof(struct fake_task, pid_links[1]);
    xa->slots[n] = fake_va(AT_PIDS + n * 0x40);
}

static inline void fake_add_kernfs(struct tiny_core *c, unsigned n, uint64_t parent,
                                   const char *name)
{
    struct fake_kernfs *kn = fake_at(c, AT_KERNFS + n * 0x10);

    *kn = (struct fake_kernfs){parent, fake_va(AT_NAMES + n * 0x40)};
    memcpy(fake_at(c, AT_NAMES + n * 0x40), name, strlen(name));
}

static inline void fake_add_module(struct tiny_core *c, unsigned n, const char *name,
                                   uint32_t state, uint32_t users)
{
    struct fake_module *m = fake_module(c, n);
    uint64_t source_list = fake_module_va(n) + offsetof(struct fake_module, source_list);

    fake_list_add(c, fake_va(AT_MODULES), fake_module_va(n));
    m->source_list = (struct fake_list){source_list, source_list};
    memcpy(m->name, name, strlen(name));
    m->state = state;
    m->refcnt = users + 1;
    m->core_base = 0xffffffffc0000000 + n * 0x10000;
    m->core_size = 0x3000;
    m->init_size = state == 1 ? 0x1000 : 0;
}

static inline void fake_add_user(struct tiny_core *c, unsigned use, unsigned used, unsigned user)
{
    struct fake_use *u = fake_at(c, AT_USES + use * 0x20);

    fake_list_add(c, fake_module_va(used) + offsetof(struct fake_module, source_list),
                  fake_va(AT_USES + use * 0x20));
    u->source = fake_module_va(user);
}

/* init (1), kthreadd (2), and a server (300) of three threads, whose leader has exited and one of
 * which waits for a disk. */
static inline void fake_add_processes(struct tiny_core *c)
{
    fake_add_process(c, 0, 1, "init");
    fake_task(c, 0)->mm = fake_va(AT_MMS);
    fake_mm(c, 0)->total_vm = 100;
    fake_add_process(c, 1, 2, "kthreadd");
    fake_task(c, 1)->flags = FAKE_KTHREAD;
    fake_task(c, 1)->mm = fake_va(AT_MMS); /* borrowed */
    fake_task(c, 1)->state = 0x402;
    fake_add_process(c, 2, 300, "server");
    fake_task(c, 2)->exit_state = FAKE_ZOMBIE;
    fake_add_thread(c, 3, 2, 301, "worker");
    fake_add_thread(c, 4, 2, 302, "flusher");
    fake_task(c, 3)->mm = fake_task(c, 4)->mm = fake_va(AT_MMS + 0x100);
    fake_task(c, 3)->state = 1;
    fake_task(c, 4)->state = 2;
    fake_task(c, 3)->rss_cache[1] = 5;
    fake_task(c, 4)->rss_cache[1] = -2;
    *fake_mm(c, 1) = (struct fake_mm){
        .rss = {1000, 200000, 3000, 40}, .total_vm = 500000, .pgtables_bytes = 409600};
    fake_signal(c, 2)->oom_score_adj = 100;
}

/* Two users of a third module, one of which still loads; and one that is not yet a module. */
static inline void fake_add_modules(struct tiny_core *c)
{
    fake_add_module(c, 0, "unformed", 3, 0);
    fake_add_module(c, 1, "drbd", 0, 0);
    fake_add_module(c, 2, "dm_mod", 1, 0);
    fake_add_module(c, 3, "libcrc32c", 0, 2);
    fake_module(c, 1)->taints = 1 << 12 | 1 << 13;
    fake_add_user(c, 0, 3, 1);
    fake_add_user(c, 1, 3, 2);
}

/* Builds it: 1,000,000 pages of RAM, 24,000 of swap. */
static inline void fake_machine(struct tiny_core *c)
{
    memset(c, 0, sizeof(*c));
    snprintf(c->vmcoreinfo, sizeof(c->vmcoreinfo),
             "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nNUMBER(phys_base)=0\n"
             "SYMBOL(swapper_pg_dir)=ffffffff80001000\n");
    tiny_put(c, AT_NR_THREADS, 5);
    tiny_put(c, AT_TOTALRAM, 1000000);
    tiny_put(c, AT_TOTAL_SWAP, 24000);
    tiny_put(c, AT_PID_NS, fake_va(AT_XA) | 2);
    tiny_put(c, AT_CRED, 1000ULL << 32); /* uid at 4 */
    tiny_put(c, AT_CSS_SET, fake_va(AT_CGROUPS));
    tiny_put(c, AT_CGROUPS, 0x77);                        /* root */
    tiny_put(c, AT_CGROUPS + 8, fake_va(AT_KERNFS) + 32); /* kn: the third */
    fake_add_kernfs(c, 0, 0, "");
    fake_add_kernfs(c, 1, fake_va(AT_KERNFS), "system.slice");
    fake_add_kernfs(c, 2, fake_va(AT_KERNFS) + 16, "db.service");
    fake_add_processes(c);
    fake_add_modules(c);
}

#endif
