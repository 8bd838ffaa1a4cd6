/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What limits a comparison, as sentences. */
#include <stdio.h>
#include <string.h>

#include "report/diff.h"

struct notes {
    const struct diff *diff;
    diff_note_fn take;
    void *arg;
    int r; /* of the first take() that failed */
};

static const char *word(enum diff_side side)
{
    return side == DIFF_OLD ? "old" : "new";
}

static void say(struct notes *n, const struct diff_note *note)
{
    if (!n->r)
        n->r = n->take(note, n->arg);
}

static void say_of_both(struct notes *n, const char *section, const char *text)
{
    struct diff_note note = {.section = section, .compared = true};

    snprintf(note.text, sizeof(note.text), "%s", text);
    say(n, &note);
}

static void note_identity(struct notes *n)
{
    const struct diff_summary *old = &n->diff->sides[DIFF_OLD], *new = &n->diff->sides[DIFF_NEW];

    if (strcmp(old->nodename, new->nodename))
        say_of_both(n, NULL, "Two machines: the summaries are of different node names.");
    if (strcmp(old->arch, new->arch))
        say_of_both(n, NULL, "Two architectures: sizes of everything may differ for that alone.");
    else if (strcmp(old->release, new->release))
        say_of_both(n, NULL, "Two kernels: caches and modules may have other names and sizes.");
    else if (strcmp(old->build_id, new->build_id))
        say_of_both(n, NULL, "Two builds of one kernel release: their build ids differ.");
    if (n->diff->boots == DIFF_OTHER_BOOT)
        say_of_both(n, "task",
                    "Two boots: pids mean other tasks, which are compared by name alone.");
    if (old->time_s > 0 && new->time_s > 0 && old->time_s > new->time_s)
        say_of_both(n, NULL, "The old summary is the later one.");
}

static void note_damage(struct notes *n, enum diff_side side)
{
    const struct diff_summary *s = &n->diff->sides[side];
    const struct summary_damage *g = &s->damage;
    struct diff_note note = {.side = word(side), .compared = true};

    if (g->bad_members || g->bad_lines || g->gave_up || g->truncated) {
        snprintf(note.text, sizeof(note.text),
                 "The %s summary is damaged: what was lost is not compared.", note.side);
        say(n, &note);
    } else if (g->no_trailer) {
        snprintf(note.text, sizeof(note.text),
                 "The %s summary is of a capture that did not finish.", note.side);
        say(n, &note);
    }
    if (s->too_many) {
        snprintf(note.text, sizeof(note.text),
                 "The %s summary has too many rows: some are not compared.", note.side);
        say(n, &note);
    }
}

/* How the section went, in one word of FORMAT.md or of ours. */
static const char *status_of(const struct diff_section *s)
{
    if (!s->ended)
        return s->rows ? "cut" : "absent";
    return strcmp(s->status, "ok") ? s->status : "lossy";
}

/* The same for people. */
static const char *why(const struct diff_section *s)
{
    if (!s->ended)
        return s->rows ? "cut" : "no record";
    return strcmp(s->status, "ok") ? s->status : "rows were lost";
}

static void note_section(struct notes *n, size_t i, enum diff_side side)
{
    const struct diff_section *s = &n->diff->sides[side].sections[i];
    struct diff_note note = {.section = diff_sections[i],
                             .side = word(side),
                             .status = status_of(s),
                             .reason = s->reason,
                             .compared = diff_is_compared(n->diff, i)};

    if (s->whole)
        return;
    /* nothing is compared, for the other side's sake: this one may still be there in part */
    snprintf(note.text, sizeof(note.text), "%s is %s in the %s summary (%s%s%s): %s", note.section,
             s->rows ? "in part" : "missing", note.side, why(s), *s->reason ? ": " : "", s->reason,
             note.compared ? "rows of one side are left out." : "not compared.");
    say(n, &note);
}

int diff_notes(const struct diff *d, diff_note_fn take, void *arg)
{
    struct notes n = {d, take, arg, 0};

    note_identity(&n);
    for (enum diff_side side = DIFF_OLD; side < DIFF_SIDES; side++)
        note_damage(&n, side);
    for (size_t i = 0; i < DIFF_SECTIONS; i++)
        for (enum diff_side side = DIFF_OLD; side < DIFF_SIDES; side++)
            note_section(&n, i, side);
    return n.r;
}
