/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/btf.h"
#include "kernel/kallsyms.h"
#include "kernel/private.h"
#include "kernel/profile.h"
#include "util/cleanup.h"
#include "util/math.h"

#define LARGE_SHIFT 21

/* What changes all the time is seen whole in few tries; what does not hold still in so many, never.
 */
#define LIVE_TRIES 8

const struct need core_needs[N_CORE_NEEDS] = {
    [CORE_PER_CPU_OFFSET] = OPT_SYMBOL("__per_cpu_offset"),
    [CORE_CPU_POSSIBLE_MASK] = OPT_SYMBOL("__cpu_possible_mask"),
    [CORE_CPU_ONLINE_MASK] = OPT_SYMBOL("__cpu_online_mask"),
    [CORE_CPU_ACTIVE_MASK] = OPT_SYMBOL("__cpu_active_mask"),
    [CORE_NR_CPU_IDS] = OPT_SYMBOL("nr_cpu_ids"),
    [CORE_PERCPU_COUNTER_COUNT] = OPT_MEMBER("percpu_counter", "count"),
    [CORE_PERCPU_COUNTER_COUNTERS] = OPT_MEMBER("percpu_counter", "counters"),
    [CORE_START_BTF] = OPT_SYMBOL("__start_BTF"),
    [CORE_STOP_BTF] = OPT_SYMBOL("__stop_BTF"),
    [CORE_INIT_UTS_NS] = OPT_SYMBOL("init_uts_ns"),
};

static uint64_t page_size_of(const struct image *im, const struct arch_mm *mm)
{
    uint64_t size;

    if (vmcoreinfo_decimal(image_vmcoreinfo(im), "PAGESIZE", &size) ||
        (size != 4096 && size != 16384 && size != 65536))
        return 1ULL << mm->page_shift;
    return size;
}

static void tlb_drop(struct kernel *k)
{
    memset(k->small, 0xff, sizeof(k->small));
    memset(k->large, 0xff, sizeof(k->large));
}

/*
 * kexec-tools that finds no _text in /proc/kallsyms (a kernel without CONFIG_KALLSYMS_ALL) may give
 * the kernel image a PT_LOAD of nearly 2^64 bytes; /proc/vmcore then has nothing where it should
 * be.
 */
static int check_segments(struct image *im, const struct arch_mm *mm, struct error *err)
{
    uint64_t entry;

    if (!image_has_absurd_segment(im) || !image_read(im, mm->root_phys, &entry, sizeof(entry)))
        return 0;
    return error_set(err, -EBADMSG,
                     "the dump's program headers are wrong, its memory cannot be found: one is of "
                     "more memory than a machine can have (kexec-tools met a /proc/kallsyms "
                     "without _text?)");
}

int kernel_open(struct image *im, const struct needs_set *sets, size_t n_sets, struct error *err,
                struct kernel **ret)
{
    const struct arch_ops *ops = arch_find(image_machine(im));
    _cleanup_(kernel_closep) struct kernel *k = NULL;
    int r;

    if (!ops)
        return error_set(err, -ENOTSUP, "machine %u is not known to this build", image_machine(im));
    k = calloc(1, sizeof(*k));
    if (!k)
        return error_set(err, -ENOMEM, "out of memory");
    k->shared =
        mmap(NULL, sizeof(*k->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (k->shared == MAP_FAILED) {
        k->shared = NULL;
        return error_set(err, -ENOMEM, "out of memory");
    }
    k->core = k->shared->core;
    r = ops->mm_init(im, err, &k->mm);
    if (r == 0)
        r = check_segments(im, &k->mm, err);
    if (r < 0)
        return r;
    k->im = im;
    k->page_size = page_size_of(im, &k->mm);
    k->sets = sets;
    k->n_sets = n_sets;
    tlb_drop(k);
    *ret = TAKE_PTR(k);
    return 0;
}

void kernel_close(struct kernel *k)
{
    if (!k)
        return;
    if (k->shared)
        munmap(k->shared, sizeof(*k->shared));
    free(k);
}

void kernel_closep(struct kernel **k)
{
    kernel_close(*k);
}

struct image *kernel_image(struct kernel *k)
{
    return k->im;
}

const struct vmcoreinfo *kernel_vmcoreinfo(const struct kernel *k)
{
    return image_vmcoreinfo(k->im);
}

struct kernel_stats kernel_stats(const struct kernel *k)
{
    struct kernel_stats stats = k->stats;

    stats.bytes_read = image_bytes_read(k->im);
    return stats;
}

bool kernel_try_again(struct kernel *k, unsigned *tries)
{
    if (!image_is_live(k->im) || *tries == LIVE_TRIES)
        return false;
    ++*tries;
    image_refresh(k->im);
    tlb_drop(k);
    return true;
}

uint64_t kernel_page_size(const struct kernel *k)
{
    return k->page_size;
}

bool kernel_is_kva(const struct kernel *k, uint64_t va)
{
    va = arch_untag(&k->mm, va);
    /* the last page holds error pointers (IS_ERR_VALUE) */
    return va >= k->mm.kernel_half && va < -(uint64_t)4096;
}

/* The TLB's word on va, in entries of 2^shift bytes; false if it has none. */
static bool tlb_find(const struct tlb_entry *tlb, unsigned shift, uint64_t va, uint64_t *ret_phys,
                     uint64_t *ret_left)
{
    uint64_t size = 1ULL << shift, offset = va & (size - 1);
    const struct tlb_entry *e = &tlb[(va >> shift) % TLB_ENTRIES];

    if (e->virt != va - offset)
        return false;
    *ret_phys = e->phys + offset;
    *ret_left = size - offset;
    return true;
}

static void tlb_add(struct tlb_entry *tlb, unsigned shift, uint64_t va, uint64_t phys)
{
    uint64_t offset = va & ((1ULL << shift) - 1);

    tlb[(va >> shift) % TLB_ENTRIES] = (struct tlb_entry){va - offset, phys - offset};
}

/* Bytes from va on that a mapping of `left` more bytes surely covers back to its start as well. */
static bool covers_large(const struct arch_mm *mm, uint64_t va, uint64_t left)
{
    uint64_t large = 1ULL << LARGE_SHIFT;

    return mm->page_shift < LARGE_SHIFT && left > (1ULL << mm->page_shift) &&
           left >= large - (va & (large - 1));
}

static int translate(struct kernel *k, uint64_t va, uint64_t *ret_phys, uint64_t *ret_left)
{
    int r;

    va = arch_untag(&k->mm, va);
    if (tlb_find(k->small, k->mm.page_shift, va, ret_phys, ret_left) ||
        tlb_find(k->large, LARGE_SHIFT, va, ret_phys, ret_left))
        return 0;
    r = arch_translate(&k->mm, k->im, va, ret_phys, ret_left);
    if (r < 0)
        return r;
    if (covers_large(&k->mm, va, *ret_left))
        tlb_add(k->large, LARGE_SHIFT, va, *ret_phys);
    else
        tlb_add(k->small, k->mm.page_shift, va, *ret_phys);
    return 0;
}

static int count_fault(struct kernel *k, uint64_t va, int r)
{
    if (!k->stats.faults++)
        k->stats.first_fault_addr = va;
    k->stats.filtered += r == -ENODATA;
    return r;
}

/* Reads into out, which on failure may hold a part; *ret_done says how much. */
static int read_partial(struct kernel *k, uint64_t va, void *out, size_t len, size_t *ret_done)
{
    size_t done = 0;
    int r = 0;

    while (done < len) {
        uint64_t phys, left;
        size_t n;

        r = translate(k, va + done, &phys, &left);
        if (r < 0)
            break;
        n = (size_t)min_u64(left, len - done);
        r = image_read(k->im, phys, (char *)out + done, n);
        if (r < 0)
            break;
        done += n;
    }
    *ret_done = done;
    return r;
}

int kernel_read(struct kernel *k, uint64_t va, void *ret, size_t len)
{
    size_t done;
    int r;

    if (len && va + (len - 1) < va)
        return count_fault(k, va, -EFAULT);
    r = read_partial(k, va, ret, len, &done);
    return r < 0 ? count_fault(k, va + done, r) : 0;
}

int kernel_read_uint(struct kernel *k, uint64_t va, size_t size, uint64_t *ret)
{
    uint64_t v = 0;
    int r;

    if (size != 1 && size != 2 && size != 4 && size != 8)
        return -EINVAL;
    r = kernel_read(k, va, &v, size);
    if (r < 0)
        return r;
    *ret = v;
    return 0;
}

int kernel_read_u32(struct kernel *k, uint64_t va, uint32_t *ret)
{
    uint32_t v;
    int r = kernel_read(k, va, &v, sizeof(v));

    if (r == 0)
        *ret = v;
    return r;
}

int kernel_read_u64(struct kernel *k, uint64_t va, uint64_t *ret)
{
    return kernel_read_uint(k, va, 8, ret);
}

ssize_t kernel_read_str(struct kernel *k, uint64_t va, char *ret, size_t cap)
{
    size_t done = 0;

    if (!cap)
        return -EINVAL;
    while (done < cap - 1) {
        /* not across a page at once: the string may end just before an unmapped one */
        size_t n =
            (size_t)min_u64(k->page_size - ((va + done) & (k->page_size - 1)), cap - 1 - done);
        int r = kernel_read(k, va + done, ret + done, n);
        const char *nul;

        if (r < 0) {
            if (done)
                break;
            return r;
        }
        nul = memchr(ret + done, 0, n);
        if (nul)
            return nul - ret;
        done += n;
    }
    ret[done] = '\0';
    return (ssize_t)done;
}

/* The wanted bits of an integer that was read from the member's bytes. */
static uint64_t extract_bits(const struct resolved *f, uint64_t v)
{
    if (!f->bit_size)
        return v;
    v >>= f->bit_offset;
    return f->bit_size < 64 ? v & ((1ULL << f->bit_size) - 1) : v;
}

static int64_t sign_extend(const struct resolved *f, size_t size, uint64_t v)
{
    size_t bits = f->bit_size ? f->bit_size : size * 8;

    if (bits >= 64)
        return (int64_t)v;
    return (int64_t)(v << (64 - bits)) >> (64 - bits);
}

int kernel_field(struct kernel *k, uint64_t base, const struct resolved *f, uint64_t *ret)
{
    uint64_t v;
    int r;

    if (!f->present)
        return -ENOENT;
    if (f->elem_size)
        return -EINVAL;
    r = kernel_read_uint(k, base + f->offset, f->size, &v);
    if (r == 0)
        *ret = extract_bits(f, v);
    return r;
}

int kernel_field_i64(struct kernel *k, uint64_t base, const struct resolved *f, int64_t *ret)
{
    uint64_t v;
    int r = kernel_field(k, base, f, &v);

    if (r == 0)
        *ret = sign_extend(f, f->size, v);
    return r;
}

int kernel_field_at(struct kernel *k, uint64_t base, const struct resolved *f, size_t i,
                    uint64_t *ret)
{
    if (!f->present)
        return -ENOENT;
    if (!f->elem_size)
        return -EINVAL;
    if (i >= f->elem_count)
        return -E2BIG;
    return kernel_read_uint(k, base + f->offset + i * f->elem_size, f->elem_size, ret);
}

int kernel_field_at_i64(struct kernel *k, uint64_t base, const struct resolved *f, size_t i,
                        int64_t *ret)
{
    uint64_t v;
    int r = kernel_field_at(k, base, f, i, &v);

    if (r == 0)
        *ret = sign_extend(f, f->elem_size, v);
    return r;
}

ssize_t kernel_field_str(struct kernel *k, uint64_t base, const struct resolved *f, char *ret,
                         size_t cap)
{
    if (!f->present)
        return -ENOENT;
    return kernel_read_str(k, base + f->offset, ret, (size_t)min_u64(cap, (uint64_t)f->size + 1));
}

int buf_field(const void *buf, size_t len, const struct resolved *f, uint64_t *ret)
{
    uint64_t v = 0;

    if (!f->present)
        return -ENOENT;
    if (f->elem_size || (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8))
        return -EINVAL;
    if (!range_within(f->offset, f->size, len))
        return -E2BIG;
    memcpy(&v, (const char *)buf + f->offset, f->size);
    *ret = extract_bits(f, v);
    return 0;
}

void kernel_use_profile(struct kernel *k, const char *text, size_t len)
{
    k->profile = text;
    k->profile_len = len;
}

struct profile_use kernel_profile_use(const struct kernel *k)
{
    return k->shared->profile;
}

size_t kernel_own_needs(const struct need **ret)
{
    *ret = core_needs;
    return N_CORE_NEEDS;
}

/*
 * What the dump's own tables, which ended with r, did not answer: they may be missing, or there
 * with holes. A profile has only what its kernel has, so that nothing is found that is not there.
 * 0, or r with both reasons.
 */
static int ask_profile(struct kernel *k, enum profile_part part, const struct needs_set *sets,
                       int r, struct error *err)
{
    struct error refused = {0}, own = err ? *err : (struct error){0};
    size_t answered = 0;

    if (!k->profile)
        return r;
    if (profile_resolve(k, k->profile, k->profile_len, part, sets, k->n_sets + 1, &refused,
                        &answered) < 0)
        return r < 0 ? error_set(err, r, "%s; %s", own.text, refused.text) : 0;
    if (answered && part == PROFILE_SYMBOLS)
        k->shared->profile.symbols = true;
    if (answered && part == PROFILE_TYPES)
        k->shared->profile.types = true;
    if (err)
        *err = (struct error){0};
    return 0;
}

/* -ENODATA where only part was found. init_uts_ns is data and in every kernel. */
static int resolve_symbols(struct kernel *k, const struct needs_set *sets, struct error *err)
{
    int r = kallsyms_resolve(k, sets, k->n_sets + 1, err);

    if (r == 0 && !k->core[CORE_INIT_UTS_NS].present)
        r = error_set(err, -ENODATA,
                      "the kernel's own symbols are functions alone (no CONFIG_KALLSYMS_ALL)");
    return ask_profile(k, PROFILE_SYMBOLS, sets, r, err);
}

static int resolve_types(struct kernel *k, const struct needs_set *sets, struct error *err)
{
    int r = btf_resolve_kernel(k, &k->core[CORE_START_BTF], &k->core[CORE_STOP_BTF], sets,
                               k->n_sets + 1, err);

    return ask_profile(k, PROFILE_TYPES, sets, r, err);
}

int kernel_bootstrap(struct kernel *k, struct error *err)
{
    const struct needs_set own = {core_needs, k->core, N_CORE_NEEDS};
    _cleanup_free_ struct needs_set *sets = calloc(k->n_sets + 1, sizeof(*sets));
    int symbols, types;

    if (!sets)
        return error_set(err, -ENOMEM, "out of memory");
    sets[0] = own;
    if (k->n_sets)
        memcpy(sets + 1, k->sets, k->n_sets * sizeof(*sets));
    symbols = resolve_symbols(k, sets, err);
    if (symbols < 0 && symbols != -ENODATA)
        return symbols;
    types = resolve_types(k, sets, symbols < 0 ? NULL : err);
    kernel_adopt(k);
    return symbols < 0 ? symbols : types;
}

void kernel_adopt(struct kernel *k)
{
    k->cpus.tried = false;
}
