# SPDX-License-Identifier: GPL-2.0-or-later
"""What src/summary/FORMAT.md documents: `format_doc.py FORMAT.md emitted FILE.c...` prints names that the
code emits and the page does not have; `... documented FILE.c...` names that the page has in its tables and
the code never says; `... records` reads JSON Lines from stdin and prints records and fields that are not in
the page where they belong."""
import json
import re
import sys

page = open(sys.argv[1], encoding="utf-8").read()
named = set(re.findall(r"`([a-z][a-z0-9_]*)`", page))


def sources():
    return "".join(open(f, encoding="utf-8").read() for f in sys.argv[3:])


def parse_page():
    """{section: {record: names said in the part about that record}}, record None for the section"""
    kinds = {}
    for part in re.split(r"^## ", page, flags=re.M)[1:]:
        title = re.match(r"`([a-z_]+)`", part)
        if not title:
            continue
        section = kinds[title[1]] = {}
        for piece in re.split(r"(?=\brecords? `)", part, flags=re.I)[1:]:
            record = re.match(r"records? `([a-z_]+)`", piece, flags=re.I)[1]
            section.setdefault(record, set()).update(re.findall(r"`([A-Za-z][A-Za-z0-9_]*)`", piece))
        only = re.search(r"One record, `([a-z_]+)`", part)
        if only:
            section[only[1]] = set(re.findall(r"`([a-z][a-z0-9_]*)`", part))
    return kinds


def emitted():
    # emit_u64(e, "name", …), opt_str(x->emit, "name", …), json_str(&j, "name", …)
    calls = r"\b\w+\(\s*&?(?:\w+->)*(?:e|x|j|emit)\s*,\s*\"([a-z][a-z0-9_]*)\""
    for name in sorted(set(re.findall(calls, sources()))):
        if name not in named | {"section", "record"} and not any(n.startswith(name + "_") for n in named):
            print(name)


def documented():
    text = sources()
    fields = set()
    for row in re.findall(r"^\| (`.*?) \|", page, flags=re.M):
        fields.update(re.findall(r"`([a-z][a-z0-9_]*)`", row))
    for name in sorted(fields):
        # some are put together of a name and a suffix
        if f'"{name}"' not in text and not re.search(r"_(usage_bytes|limit_bytes|failcnt)$", name):
            print(name)


def records():
    kinds = parse_page()
    end = set(re.findall(r"^\| `(\w+)`", page.split("### `end`")[1].split("\n## ")[0], flags=re.M))
    wrong = set()
    for line in sys.stdin:
        r = json.loads(line)
        section, record = r.pop("section"), r.pop("record")
        known = end if record == "end" else kinds.get(section, {}).get(record)
        if known is None:
            wrong.add(f"{section}/{record}")
            continue
        for field in r:
            free = record == "meminfo" and field.endswith("_bytes") or re.match(r"memcg_(memsw|kmem|swap)_", field)
            if field not in known and not free:
                wrong.add(f"{section}/{record}/{field}")
    print("\n".join(sorted(wrong)), end="")


{"emitted": emitted, "documented": documented, "records": records}[sys.argv[2]]()
