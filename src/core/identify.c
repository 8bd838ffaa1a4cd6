/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says what a file is that is no vmcore: people hand over the file that lies beside it. */
#include <ctype.h>
#include <string.h>
#include <zlib.h>

#include "core/image_ops.h"
#include "util/cleanup.h"

#define MAGIC(bytes_, what_, host_)                                                                \
    {                                                                                              \
        bytes_, sizeof(bytes_) - 1, what_, host_                                                   \
    }

static const struct {
    const char *bytes;
    size_t len;
    const char *what;
    bool host; /* the host build reads it */
} magics[] = {
    MAGIC("KDUMP   ", "a compressed dump by makedumpfile", true),
    MAGIC("DISKDUMP", "a compressed dump in diskdump format", true),
    MAGIC("makedumpfile\0", "a flattened dump by makedumpfile", true),
    MAGIC("EMiL", "a LiME dump", false),
    MAGIC("PAGEDU64", "a Windows crash dump", false),
    MAGIC("QEVM", "a QEMU machine snapshot", false),
    MAGIC("\x1f\x8b", "a gzip file", false),
    MAGIC("\xfd"
          "7zXZ\0",
          "an xz file", false),
    MAGIC("\x28\xb5\x2f\xfd", "a zstd file", false),
    MAGIC("BZh", "a bzip2 file", false),
    MAGIC("\x89LZO\0", "an lzop file", false),
    MAGIC("\x04\x22\x4d\x18", "an lz4 file", false),
};

/* Inflates the start of a gzip member. Returns the bytes got. */
static size_t gunzip_start(const struct image_head *head, char *ret, size_t cap)
{
    z_stream z = {0};
    size_t got = 0;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return 0;
    z.next_in = (Bytef *)head->bytes;
    z.avail_in = (uInt)head->len;
    z.next_out = (Bytef *)ret;
    z.avail_out = (uInt)cap;
    if (inflate(&z, Z_SYNC_FLUSH) >= 0)
        got = cap - z.avail_out;
    inflateEnd(&z);
    return got;
}

static bool is_summary(const struct image_head *head)
{
    static const char start[] = "{\"section\":";
    char text[sizeof(start) - 1];

    return (head->len >= sizeof(text) && memcmp(head->bytes, start, sizeof(text)) == 0) ||
           (gunzip_start(head, text, sizeof(text)) == sizeof(text) &&
            memcmp(text, start, sizeof(text)) == 0);
}

static bool is_text(const struct image_head *head)
{
    for (size_t i = 0; i < head->len; i++)
        if (!isprint(head->bytes[i]) && !isspace(head->bytes[i]) && head->bytes[i] < 0x80)
            return false;
    return true;
}

const char *image_identify(const struct image_head *head, bool *ret_host)
{
    *ret_host = false;
    if (is_summary(head))
        return "a summary of vmcore-summary";
    for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
        if (head->len >= magics[i].len &&
            memcmp(head->bytes, magics[i].bytes, magics[i].len) == 0) {
            *ret_host = magics[i].host;
            return magics[i].what;
        }
    return is_text(head) ? "a text file" : "a file of unknown format";
}
