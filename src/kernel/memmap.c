/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/memmap.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "util/cleanup.h"

#define PAGE_SIZE_MAX 256  /* bytes of a struct page; 64 or less without debugging */
#define ORDER_MAX     18   /* of a compound page: 1 GiB of 4 KiB pages */
#define FLAGS_AND     4095 /* a section's map is page-aligned; what is below are its flags */
#define NONE          UINT64_MAX

const char *page_class_name(enum page_class c)
{
    static const char *const names[N_PAGE_CLASSES] = {
        [PAGE_KERNEL] = "kernel", [PAGE_CACHE] = "cache", [PAGE_CACHE_PRIVATE] = "cache_private",
        [PAGE_USER] = "user",     [PAGE_FREE] = "free",   [PAGE_GONE] = "gone",
    };

    return names[c];
}

/* ---- VMCOREINFO ----------------------------------------------------------------------------- */

static int get_number(const struct vmcoreinfo *vi, const char *name, uint64_t *ret)
{
    int64_t v;
    int r = vmcoreinfo_number(vi, name, &v);

    if (!r)
        *ret = (uint64_t)v;
    return r;
}

typedef int (*get_fn)(const struct vmcoreinfo *vi, const char *name, uint64_t *ret);

/*
 * page._mapcount holds a page's type where the page is not mapped. PG_slab became such a type in
 * "mm: free up PG_slab" (46df8e73a4a3, v6.10). A hugetlb page is known by its destructor, since
 * v6.6 by a flag of its second page, and since "mm: turn folio_test_hugetlb into a PageType"
 * (d99e3140a4d3, v6.9) by its type. page.compound_head is compound_info since v7.1; bit 0 says
 * "tail" in both.
 */
static const struct {
    const char *name;
    get_fn get;
    size_t offset;
    bool required;
} keys[] = {
#define KEY(name_, get_, field_, required_)                                                        \
    {                                                                                              \
        name_, get_, offsetof(struct memmap, field_), required_                                    \
    }
    KEY("PAGESIZE", vmcoreinfo_decimal, page_bytes, true),
    KEY("page", vmcoreinfo_size, page_size, true),
    KEY("page.flags", vmcoreinfo_offset, flags, true),
    KEY("page._refcount", vmcoreinfo_offset, refcount, true),
    KEY("page.mapping", vmcoreinfo_offset, mapping, true),
    KEY("page._mapcount", vmcoreinfo_offset, mapcount, true),
    KEY("page.private", vmcoreinfo_offset, private, true),
    KEY("page.compound_info", vmcoreinfo_offset, tail, false),
    KEY("page.compound_head", vmcoreinfo_offset, tail_old, false),
    KEY("page.compound_dtor", vmcoreinfo_offset, dtor, false),
    KEY("page.compound_order", vmcoreinfo_offset, order, false),
    KEY("PG_lru", get_number, lru_bit, true),
    KEY("PG_private", get_number, private_bit, true),
    KEY("PG_swapcache", get_number, swapcache_bit, true),
    KEY("PG_swapbacked", get_number, swapbacked_bit, false),
    KEY("PG_slab", get_number, slab_bit, false),
    KEY("PG_hwpoison", get_number, poison_bit, false),
    KEY("PG_hugetlb", get_number, huge_bit, false),
    KEY("PG_head_mask", get_number, head_mask, true),
    KEY("PAGE_BUDDY_MAPCOUNT_VALUE", get_number, buddy_type, true),
    KEY("PAGE_OFFLINE_MAPCOUNT_VALUE", get_number, offline_type, false),
    KEY("PAGE_UNACCEPTED_MAPCOUNT_VALUE", get_number, unaccepted_type, false),
    KEY("PAGE_HUGETLB_MAPCOUNT_VALUE", get_number, huge_type, false),
    KEY("HUGETLB_PAGE_DTOR", get_number, huge_dtor, false),
    KEY("zone.free_area", vmcoreinfo_length, orders, true),
    KEY("mem_section", vmcoreinfo_symbol, sections, true),
    KEY("mem_section", vmcoreinfo_length, n_roots, true),
    KEY("mem_section", vmcoreinfo_size, section_size, true),
    KEY("mem_section.section_mem_map", vmcoreinfo_offset, section_map, true),
    KEY("SECTION_SIZE_BITS", get_number, section_bits, false),
    KEY("MAX_PHYSMEM_BITS", get_number, physmem_bits, true),
#undef KEY
};

static int read_keys(struct memmap *m, const struct vmcoreinfo *vi, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        uint64_t value = NONE;
        int r = keys[i].get(vi, keys[i].name, &value);

        if (r < 0 && keys[i].required)
            return error_set(err, -ENOENT, "VMCOREINFO has no %s", keys[i].name);
        memcpy((char *)m + keys[i].offset, &value, sizeof(value));
    }
    if (m->tail == NONE)
        m->tail = m->tail_old;
    return 0;
}

/* All that is read of a struct page lies within it. */
static bool offsets_fit(const struct memmap *m)
{
    const uint64_t offsets[] = {m->flags, m->mapping, m->private, m->tail};

    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++)
        if (offsets[i] > m->page_size - 8)
            return false;
    return m->refcount <= m->page_size - 4 && m->mapcount <= m->page_size - 4 &&
           (m->dtor == NONE || m->dtor < m->page_size) &&
           (m->order == NONE || m->order < m->page_size);
}

/* The number of roots is made from the number of sections (SECTION_SIZE_BITS is not told before
 * v5.12): a root is a page of struct mem_section with CONFIG_SPARSEMEM_EXTREME, else one section.
 */
static int derive_sections(struct memmap *m, struct error *err)
{
    uint64_t per_root = m->section_size ? m->page_bytes / m->section_size : 0;

    if (m->physmem_bits > 57 || !per_root || !m->n_roots || m->n_roots > 1u << 24)
        return error_set(err, -EBADMSG, "VMCOREINFO's section table makes no sense");
    if (m->section_bits == NONE) {
        m->section_bits = m->physmem_bits;
        for (uint64_t n = m->n_roots * per_root; n > 1 && m->section_bits; n >>= 1)
            m->section_bits--;
    }
    if (m->section_bits > m->physmem_bits || m->section_bits < 20)
        return error_set(err, -EBADMSG, "VMCOREINFO's section size makes no sense");
    m->n_sections = 1ULL << (m->physmem_bits - m->section_bits);
    m->sections_per_root = m->n_sections > m->n_roots ? per_root : 0;
    return 0;
}

int memmap_init(struct memmap *ret, struct kernel *k, struct error *err)
{
    struct memmap m = {.k = k, .last_section = NONE};
    int r = read_keys(&m, kernel_vmcoreinfo(k), err);

    if (r < 0)
        return r;
    if (m.page_size < 32 || m.page_size > PAGE_SIZE_MAX || m.page_bytes < 4096 ||
        m.page_bytes & (m.page_bytes - 1) || m.orders > ORDER_MAX + 1 || !offsets_fit(&m))
        return error_set(err, -EBADMSG, "VMCOREINFO's struct page makes no sense");
    r = derive_sections(&m, err);
    if (!r)
        *ret = m;
    return r;
}

/* ---- struct page ---------------------------------------------------------------------------- */

/* section_mem_map is the address that page frame 0 would have (include/linux/mmzone.h). */
static int section_map(struct memmap *m, uint64_t section, uint64_t *ret)
{
    uint64_t root = m->sections, i = section, map;
    int r = 0;

    if (section == m->last_section) {
        *ret = m->last_map;
        return 0;
    }
    if (section >= m->n_sections)
        return -EFAULT;
    if (m->sections_per_root) {
        i = section % m->sections_per_root;
        r = kernel_read_u64(m->k, m->sections + section / m->sections_per_root * 8, &root);
    }
    if (r < 0 || !root)
        return r < 0 ? r : -EFAULT;
    r = kernel_read_u64(m->k, root + i * m->section_size + m->section_map, &map);
    if (r < 0)
        return r;
    map &= ~(uint64_t)FLAGS_AND;
    if (!map)
        return -EFAULT;
    m->last_section = section;
    m->last_map = *ret = map;
    return 0;
}

struct page {
    uint8_t bytes[PAGE_SIZE_MAX];
};

static int read_page(struct memmap *m, uint64_t pfn, struct page *ret)
{
    uint64_t map;
    int r = section_map(m, pfn * m->page_bytes >> m->section_bits, &map);

    return r < 0 ? r : kernel_read(m->k, map + pfn * m->page_size, ret->bytes, m->page_size);
}

static uint64_t word(const struct page *p, uint64_t offset)
{
    uint64_t v;

    memcpy(&v, p->bytes + offset, sizeof(v));
    return v;
}

static uint32_t half(const struct page *p, uint64_t offset)
{
    uint32_t v;

    memcpy(&v, p->bytes + offset, sizeof(v));
    return v;
}

static bool has_bit(const struct memmap *m, const struct page *p, uint64_t bit)
{
    return bit < 64 && word(p, m->flags) >> bit & 1;
}

/* SLUB kept its counters where the type is, while PG_slab was a flag. */
static bool has_type(const struct memmap *m, const struct page *p, uint64_t type)
{
    return type != NONE && half(p, m->mapcount) == (uint32_t)type && !has_bit(m, p, m->slab_bit);
}

static bool is_tail(const struct memmap *m, const struct page *p)
{
    return word(p, m->tail) & 1;
}

static bool is_head(const struct memmap *m, const struct page *p)
{
    return word(p, m->flags) & m->head_mask;
}

static bool is_cached(const struct memmap *m, const struct page *p)
{
    return has_bit(m, p, m->lru_bit) ||
           (has_bit(m, p, m->swapcache_bit) &&
            (m->swapbacked_bit == NONE || has_bit(m, p, m->swapbacked_bit)));
}

/* Of a compound page with this second page. */
static uint64_t compound_order(const struct memmap *m, const struct page *second)
{
    return m->order == NONE ? word(second, m->flags) & 0xff : second->bytes[m->order];
}

static bool is_huge(struct memmap *m, uint64_t pfn, const struct page *p)
{
    struct page second;

    if (!is_head(m, p))
        return false;
    if (m->huge_type != NONE)
        return has_type(m, p, m->huge_type);
    if (read_page(m, pfn + 1, &second) < 0)
        return false;
    if (m->huge_bit != NONE)
        return has_bit(m, &second, m->huge_bit);
    return m->huge_dtor != NONE && m->dtor != NONE && second.bytes[m->dtor] == m->huge_dtor;
}

/* A page that is neither a tail nor within a free block that begins below it. */
static enum page_class class_of(struct memmap *m, uint64_t pfn, const struct page *p)
{
    bool anon = word(p, m->mapping) & 1; /* PAGE_MAPPING_ANON, include/linux/page-flags.h */

    if (has_type(m, p, m->buddy_type) || has_type(m, p, m->unaccepted_type))
        return PAGE_FREE;
    if (is_cached(m, p) && !anon)
        return has_bit(m, p, m->private_bit) ? PAGE_CACHE_PRIVATE : PAGE_CACHE;
    if (anon || is_huge(m, pfn, p))
        return PAGE_USER;
    if (has_bit(m, p, m->poison_bit) || has_type(m, p, m->offline_type))
        return PAGE_GONE;
    return PAGE_KERNEL;
}

/* true if the block or compound page that begins at `start` reaches pfn. */
static bool reaches(struct memmap *m, uint64_t start, const struct page *p, uint64_t pfn, bool tail)
{
    struct page second;
    uint64_t order;

    if (!tail) {
        order = word(p, m->private);
        return has_type(m, p, m->buddy_type) ? order < m->orders && pfn - start < 1ULL << order
                                             : has_type(m, p, m->unaccepted_type);
    }
    if (is_tail(m, p) || !is_head(m, p) || read_page(m, start + 1, &second) < 0)
        return false;
    order = compound_order(m, &second);
    return order <= ORDER_MAX && pfn - start < 1ULL << order;
}

/* Blocks and compound pages are aligned to their size. */
static enum page_class class_by_head(struct memmap *m, uint64_t pfn, bool tail)
{
    uint64_t orders = tail ? ORDER_MAX + 1 : m->orders, last = pfn;
    struct page p;

    for (uint64_t order = 1; order < orders; order++) {
        uint64_t start = pfn & ~((1ULL << order) - 1);

        if (start == last)
            continue;
        last = start;
        if (read_page(m, start, &p) < 0)
            break;
        if (reaches(m, start, &p, pfn, tail))
            return class_of(m, start, &p);
    }
    return PAGE_KERNEL;
}

int memmap_class(struct memmap *m, uint64_t pfn, enum page_class *ret)
{
    struct page p;
    enum page_class class;
    int r = read_page(m, pfn, &p);

    if (r < 0)
        return r;
    if (is_tail(m, &p)) {
        *ret = class_by_head(m, pfn, true);
        return 0;
    }
    class = class_of(m, pfn, &p);
    /* only a page that nobody holds may be part of a free block */
    if (class == PAGE_KERNEL && !half(&p, m->refcount))
        class = class_by_head(m, pfn, false);
    *ret = class;
    return 0;
}
