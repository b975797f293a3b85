#!/usr/bin/env python3
"""Makes the tables of reporters, laws and courts from the unpacked wheels of reporters-db and courts-db.

Usage: generate.py FOLDER, where FOLDER holds `reporters_db/data` and `courts_db/data`.
The tables series.tsv, codes.tsv and courts_own.tsv are written by hand and stay as they are.
Every table is sorted, has one row a line and tabs between fields, so that a new release of the data shows as a small diff.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
# Courts of one place are named by these words; a court whose name has none of them is found by its abbreviation only.
COURT_WORDS = re.compile(r"court|tribunal|circuit|chancery|panel|commission|board|assizes", re.I)
# A string from the data with a character of a regular expression is a pattern, not a name.
PATTERN = re.compile(r"[\\\[\]{}|?*+^$]")

# Reporters of the Supreme Court alone, which the data lists under several courts.
SUPREME_COURT = {"U.S.", "S. Ct.", "L. Ed.", "L. Ed. 2d"}

# The reporter took volumes 1 to 90 over from its forerunners, so decisions since 1754 are cited by the name of the reporter.
FIRST_YEARS = {"U.S.": "1754"}
# Names by which a law is known better than by the first name in the data.
BETTER_NAMES = {"FR": "Fed. Reg.", "F.R.": "Fed. Reg."}


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write(name, header, rows):
    lines = ["# " + "\t".join(header)] + sorted({"\t".join(row) for row in rows})
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def clean(text):
    return " ".join((text or "").replace("\u2019", "'").split())


def year(date):
    return date[:4] if date else ""


def squeezed(text):
    return re.sub(r"[^\w&]", "", text)


def spellings(edition, variations):
    """Leaves out spellings that differ from another one in spaces and punctuation only: the reader drops both."""
    seen, kept = {squeezed(edition)}, []
    for written in sorted(variations, key=lambda v: (-v.count("."), v)):
        if squeezed(written) not in seen:
            seen.add(squeezed(written))
            kept.append(clean(written))
    return "|".join(sorted(kept))


def shape(regexes):
    """y: the volume is a year; h: hyphens stand between year, reporter and page; n: the volume may be missing."""
    text = " ".join(regexes)
    found = set()
    if regexes and all("$volume_year" in r or "illinois" in r or "(?P<volume>(19|20)" in r for r in regexes):
        found.add("y")
    if "format_neutral" in text or "$volume_year-$reporter-" in text:
        found.add("h")
    if "$full_cite_louisiana" in text and len(regexes) == 1:
        found.add("x")
    return "".join(sorted(found))


def reporters(root, courts):
    cited = {}
    for court in courts:
        for cite in court.get("cites") or []:
            cited.setdefault(cite, set()).add(court["id"])
    rows = []
    for entries in load(root / "reporters.json").values():
        for entry in entries:
            places = entry.get("mlz_jurisdiction") or []
            for edition, facts in entry["editions"].items():
                variations = [v for v, of in entry["variations"].items() if of == edition]
                court = cited.get(edition, set())
                if places == ["us;supreme.court"] or edition in SUPREME_COURT:
                    court = {"scotus"}
                rows.append([
                    clean(edition), FIRST_YEARS.get(edition, year(facts["start"])), year(facts["end"]), entry["cite_type"],
                    shape(facts.get("regexes") or []), min(court) if len(court) == 1 else "",
                    clean(entry["name"]), spellings(edition, variations),
                ])
    for edition, entries in load(root / "journals.json").items():
        for entry in entries:
            rows.append([clean(edition), year(entry["start"]), year(entry["end"]), "journal", "", "",
                         clean(entry["name"]), spellings(edition, entry["variations"])])
    write("reporters.tsv", ["edition", "first year", "last year", "kind", "shape", "court", "name", "spellings"], rows)


def laws(root):
    rows = []
    for edition, entries in load(root / "laws.json").items():
        for entry in entries:
            if entry["cite_type"] in ("admin_docket", "admin_filing", "leg_act"):
                continue
            if edition in BETTER_NAMES:
                edition, entry["variations"] = BETTER_NAMES[edition], [edition, *entry["variations"]]
            rows.append([clean(edition), entry["cite_type"], entry["jurisdiction"], clean(entry["name"]),
                         spellings(edition, entry["variations"])])
    write("laws.tsv", ["law", "kind", "jurisdiction", "name", "spellings"], rows)
    rows = [[clean(short), clean(full)] for short, full in load(root / "state_abbreviations.json").items()]
    write("states.tsv", ["abbreviation", "state"], rows)
    words = {clean(short).rstrip(".") for short in load(root / "case_name_abbreviations.json")}
    write("abbreviations.tsv", ["abbreviation in names of cases"], [[word] for word in words if word.isalpha()])


def courts(entries):
    rows = []
    for court in entries:
        names = [clean(court["name"])] + [clean(example) for example in court.get("examples") or []]
        names = [n for n in names if COURT_WORDS.search(n) and not PATTERN.search(n) and len(n) <= 90 and len(n.split()) > 1]
        kept, seen = [], set()
        for name in names:
            words = " ".join(sorted(re.findall(r"\w+", name.lower())))
            if words not in seen:
                seen.add(words)
                kept.append(name)
        if not kept and not court["citation_string"]:
            continue
        ended = all((d or {}).get("end") for d in court.get("dates") or [{}])
        rows.append([court["id"], clean(court["citation_string"]), court.get("parent") or "", "ended" if ended else "",
                     "|".join(kept)])
    write("courts.tsv", ["court", "abbreviation", "parent", "ended", "names"], rows)


def main():
    folder = pathlib.Path(sys.argv[1])
    entries = load(folder / "courts_db/data/courts.json")
    reporters(folder / "reporters_db/data", entries)
    laws(folder / "reporters_db/data")
    courts(entries)


if __name__ == "__main__":
    main()
