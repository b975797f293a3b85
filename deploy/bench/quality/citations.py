#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build citations.jsonl from citations.txt, and check it.

    python3 citations.py            write citations.jsonl
    python3 citations.py --check    write nothing; fail if citations.jsonl is stale
    python3 citations.py --list     print every marked citation with its fields
    python3 citations.py --counts   print the counts that README.md gives

citations.txt holds passages. A line `@ c001 opinion` starts one; the lines
after it, without the last newline, are its text. In the text

    ⟦410 U.S. 113, 153 (1973)⟧           marks a citation
    ⟦Id. at 155|0⟧                       ... whose full citation has index 0
    ⟦93 S. Ct. 705|=0⟧                   ... that is parallel to index 0
    ⟦... |form=full;p=12;pin=;c=cal⟧     ... with fields set by hand
    {nbsp} {crlf} {u0301}                stand for characters hard to see

The fields are read off the marked text; a field set by hand wins, and an empty
one is left out. This reading is no recogniser: it sees only what is marked.
"""
import collections
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
KINDS = "opinion brief contract memo statute journal letter".split()
FORMS = "full short supra id neutral database".split()

# US reporters, in their normal spelling; blanks are ignored when one is looked up.
REPORTERS = """
U.S.|S. Ct.|L. Ed. 2d|L. Ed.|F.|F.2d|F.3d|F.4th|F. Supp.|F. Supp. 2d|F. Supp. 3d|F. App'x|
F.R.D.|B.R.|Fed. Cl.|Cl. Ct.|Ct. Cl.|T.C.|M.J.|Vet. App.|F. Cas.|Wall.|Cranch|How.|Wheat.|Pet.|Dall.|Black|
A.|A.2d|A.3d|P.|P.2d|P.3d|N.E.|N.E.2d|N.E.3d|N.W.|N.W.2d|S.E.|S.E.2d|S.W.|S.W.2d|S.W.3d|
So.|So. 2d|So. 3d|Cal. Rptr.|Cal. Rptr. 2d|Cal. Rptr. 3d|Cal.|Cal. 2d|Cal. 3d|Cal. 4th|Cal. 5th|
Cal. App. 2d|Cal. App. 3d|Cal. App. 4th|Cal. App. 5th|N.Y.|N.Y.2d|N.Y.3d|N.Y.S.|N.Y.S.2d|N.Y.S.3d|A.D.2d|
A.D.3d|Misc. 2d|Misc. 3d|Ill.|Ill. 2d|Ill. App. 3d|Ill. Dec.|Mass.|Mass. App. Ct.|Wis. 2d|Mich.|Mich. App.|
Ohio St. 2d|Ohio St. 3d|Ohio App. 3d|Pa.|Pa. Super.|N.J.|N.J. Super.|Md.|Md. App.|Va.|Va. App.|
N.C.|N.C. App.|S.C.|Ga.|Ga. App.|Conn.|Conn. App.|Wash. 2d|Wash. App.|Wn.2d|Wn. App.|Or.|Or. App.|
Kan.|Neb.|Iowa|Minn.|Ariz.|Nev.|Idaho|Mont.|N.M.|Haw.|Vt.|N.H.|R.I.|W. Va.|Tenn.|Ark.|Okla.|Ky.|
Tex.|Ind.|Colo.|Utah 2d|Del. Ch.|Johns.|Pick.|Wend.|I. & N. Dec.|
ER|Lloyd's Rep
""".replace("\n", "")
REPORTERS = [r for r in REPORTERS.split("|") if r]
# Reports and court codes of other countries, and codes of US courts that number their own opinions.
REPORTS = set("AC|QB|KB|Ch|Fam|WLR|All ER|All ER (Comm)|Lloyd's Rep|CLR|ALR|NZLR|SCR|SCC|SLT|SC|SA|ECR|Exch|HL Cas|"
              "IR|MLJ|SLR|SLR(R)|HKCFAR|DLR (4th)|OR (3d)|EHRR|Cr App R|BCLC|IRLR|P & CR|NSWLR|VR|App Cas|QBD|"
              "Ch D|CMLR|SCALE|ER|FCR".split("|"))
CODES = set("UKSC|UKHL|UKPC|EWCA Civ|EWCA Crim|EWHC|UKUT|UKFTT|CSIH|CSOH|HCJAC|NICA|NIQB|IESC|IEHC|HCA|FCA|FCAFC|"
            "NSWCA|NSWSC|VSCA|QCA|WASCA|NZSC|NZCA|NZHC|SCC|ONCA|BCCA|ABCA|QCCA|ONSC|BCSC|SGCA|SGHC|HKCFA|HKCA|"
            "ZACC|ZASCA|INSC|UT|ND|SD|ME|VT|WY|OK|MT|WI|IL|COA|CO|AR|NMSC|NMCA|Ohio|UT App|WI App|OK CIV APP|"
            "IL App (1st)|IL App (2d)|MSPB|PA Super|EAT|UKEAT|KESC|IECA|CAT".split("|"))
SCOTUS = {"U.S.", "S. Ct.", "L. Ed. 2d", "L. Ed.", "Wall.", "Cranch", "How.", "Wheat.", "Pet.", "Dall.", "Black"}

# Courts as parentheses name them; the ids are those of CourtListener. "" = no id is given.
COURTS = """
1st Cir.=ca1|2d Cir.=ca2|2nd Cir.=ca2|CA2=ca2|3d Cir.=ca3|4th Cir.=ca4|5th Cir.=ca5|6th Cir.=ca6|7th Cir.=ca7|
CA7=ca7|CA9=ca9|8th Cir.=ca8|9th Cir.=ca9|10th Cir.=ca10|11th Cir.=ca11|D.C. Cir.=cadc|CADC=cadc|Fed. Cir.=cafc|
U.S.=scotus|S.D.N.Y.=nysd|E.D.N.Y.=nyed|N.D.N.Y.=nynd|W.D.N.Y.=nywd|N.D. Cal.=cand|C.D. Cal.=cacd|E.D. Cal.=caed|
S.D. Cal.=casd|D. Mass.=mad|D. Del.=ded|D.N.J.=njd|E.D. Pa.=paed|W.D. Pa.=pawd|M.D. Pa.=pamd|N.D. Ill.=ilnd|
S.D. Ill.=ilsd|C.D. Ill.=ilcd|D.D.C.=dcd|S.D. Tex.=txsd|N.D. Tex.=txnd|E.D. Tex.=txed|W.D. Tex.=txwd|S.D. Fla.=flsd|
M.D. Fla.=flmd|N.D. Ga.=gand|E.D. Va.=vaed|W.D. Va.=vawd|D. Md.=mdd|D. Colo.=cod|W.D. Wash.=wawd|E.D. Wash.=waed|
D. Or.=ord|D. Ariz.=azd|D. Nev.=nvd|D. Utah=utd|D. Kan.=ksd|D. Minn.=mnd|E.D. Mich.=mied|W.D. Mich.=miwd|
N.D. Ohio=ohnd|S.D. Ohio=ohsd|S.D. Ind.=insd|N.D. Ind.=innd|E.D. Wis.=wied|W.D. Wis.=wiwd|E.D. Mo.=moed|
W.D. Mo.=mowd|D. Neb.=ned|D. Haw.=hid|D.P.R.=prd|D. Conn.=ctd|D.R.I.=rid|D. Me.=med|D.N.H.=nhd|D. Vt.=vtd|
M.D. Tenn.=tnmd|E.D. La.=laed|W.D. La.=lawd|N.D. Ala.=alnd|D.S.C.=scd|M.D.N.C.=ncmd|W.D.N.C.=ncwd|E.D.N.C.=nced|
W.D. Okla.=okwd|D.N.M.=nmd|D. Mont.=mtd|D. Alaska=akd|S.D. W. Va.=wvsd|W.D. Ky.=kywd|E.D. Ark.=ared|N.D. Iowa=iand|
S.D. Miss.=mssd|S.D. Ga.=gasd|D. Idaho=idd|
Bankr. S.D.N.Y.=nysb|Bankr. D. Del.=deb|Bankr. N.D. Ill.=ilnb|Bankr. C.D. Cal.=cacb|Bankr. D. Mass.=mab|
Bankr. S.D. Tex.=txsb|Bankr. E.D. Va.=vaeb|Bankr. M.D. Fla.=flmb|B.A.P. 9th Cir.=bap9|B.A.P. 6th Cir.=bap6|
Cal.=cal|Cal. Ct. App.=calctapp|Cal. App.=calctapp|N.Y.=ny|N.Y. App. Div.=nyappdiv|App. Div. 1st Dep't=nyappdiv|
App. Div. 2d Dep't=nyappdiv|2d Dep't=nyappdiv|1st Dep't=nyappdiv|3d Dep't=nyappdiv|4th Dep't=nyappdiv|N.Y. Sup. Ct.=nysupct|Sup. Ct. Kings Cnty.=nysupct|
Sup. Ct. N.Y. County=nysupct|Tex.=tex|Tex. Crim. App.=texcrimapp|Tex. App.=texapp|Tex. App.—Houston [14th Dist.]=texapp|
Tex. App.—Austin=texapp|Tex. App.—Dallas=texapp|Fla.=fla|Fla. 3d DCA=fladistctapp|Fla. Dist. Ct. App.=fladistctapp|
Fla. 4th DCA=fladistctapp|Ill.=ill|Ill. App. Ct.=illappct|Mass.=mass|Mass. App. Ct.=massappct|Pa.=pa|Pa. Super. Ct.=pasuperct|
Pa. Commw. Ct.=pacommwct|Ohio=ohio|Ohio Ct. App.=ohioctapp|N.J.=nj|N.J. Super. Ct. App. Div.=njsuperctappdiv|App. Div.=njsuperctappdiv|
Wash.=wash|Wash. Ct. App.=washctapp|Wis.=wis|Wis. Ct. App.=wisctapp|Mich.=mich|Mich. Ct. App.=michctapp|Minn.=minn|
Minn. Ct. App.=minnctapp|Ga.=ga|Ga. Ct. App.=gactapp|Va.=va|Va. Ct. App.=vactapp|N.C.=nc|N.C. Ct. App.=ncctapp|S.C.=sc|
S.C. Ct. App.=scctapp|Tenn.=tenn|Tenn. Ct. App.=tennctapp|Ky.=ky|Ky. Ct. App.=kyctapp|Ala.=ala|La.=la|La. Ct. App.=lactapp|
Miss.=miss|Mo.=mo|Mo. Ct. App.=moctapp|Ark.=ark|Okla.=okla|Kan.=kan|Neb.=neb|Iowa=iowa|Colo.=colo|Colo. App.=coloctapp|
Utah=utah|Ariz.=ariz|Ariz. Ct. App.=arizctapp|N.M.=nm|Nev.=nev|Idaho=idaho|Mont.=mont|Wyo.=wyo|N.D.=nd|S.D.=sd|
Or.=or|Or. Ct. App.=orctapp|Haw.=haw|Alaska=alaska|Me.=me|N.H.=nh|Vt.=vt|R.I.=ri|Conn.=conn|Conn. App. Ct.=connappct|
Del.=del|Del. Ch.=delch|Del. Super. Ct.=delsuperct|Md.=md|Md. Ct. Spec. App.=mdctspecapp|D.C.=dc|W. Va.=wva|Ind.=ind|
Ind. Ct. App.=indctapp|Fed. Cl.=uscfc|Ct. Cl.=cc|T.C.=tax|C.M.A.=|Vet. App.=cavc|BIA=bia|A.G.=ag|C.A.A.F.=armfor|
C.C.D. Va.=|C.C.E.D. Pa.=|C.C.S.D.N.Y.=|C.C.D. Nev.=|C.C.D. Mass.=|Ch.=|HL=|CA=|PC=|CC=|SCA=|KB=|QB=|HC=|CFA=
""".replace("\n", "")


def squash(s):
    """s without blanks, with straight quotes: the form in which names are compared."""
    return re.sub(r"\s+", "", s).replace("\u2019", "'")


COURTS = {squash(k): v for k, v in (c.split("=") for c in COURTS.split("|") if c)}
BY_SQUASH = {squash(r): r for r in REPORTERS}


def bare(s):
    """s as squash gives it and without full stops: A. C. and AC are one report."""
    return squash(s).replace(".", "")


FOREIGN = {bare(r): r for r in REPORTS | CODES}
BLANK = re.compile(r"\s+")
MONTH = r"(?:(?:Jan|Feb|Mar|Apr|May|June|July|Aug|Sept|Oct|Nov|Dec)\.?\s+\d{1,2},\s*)?"
LEAD = re.compile(r"^[,:]?\s*(?:at\s+)?(?:pages?\s+|pp?\.\s*|paras?\.?\s+|paragraphs?\s+)?", re.I)


def pin_of(s):
    s = LEAD.sub("", s.strip()).strip()
    if re.fullmatch(r"\[[^\[\]]+\]", s):
        s = s[1:-1]
    return s


def read_paren(s, f):
    """Year and court out of the inside of a closing parenthesis."""
    years = re.findall(r"(?<!\d)\d{4}(?!\d)", s)
    if years:
        f["year"] = years[-1]
    court = re.sub(MONTH + r"(?<!\d)\d{4}(?!\d).*$", "", s, flags=re.S).strip(" ,\n\u00a0")
    if court:
        if squash(court) not in COURTS:
            raise ValueError(f"court {court!r} is not in the table")
        if COURTS[squash(court)]:
            f["court"] = COURTS[squash(court)]


def split_paren(s):
    """'113, 153 (9th Cir. 1973)' -> ('113, 153', '9th Cir. 1973')."""
    m = re.fullmatch(r"(.*?)\s*\(([^()]*)\)", s, re.S)
    return (m[1], m[2]) if m else (s, None)


def fields(span):
    """Read the fields off a marked citation."""
    f = {}
    if re.match(r"(?:id|ibid)\b", span, re.I):
        f["form"] = "id"
        f["pin"] = pin_of(re.sub(r"^(?:id|ibid)\.?", "", span, flags=re.I))
        return f
    if re.search(r"\bsupra\b", span, re.I):
        f["form"] = "supra"
        rest = re.split(r"\bsupra\b", span, flags=re.I)[1]
        m = re.fullmatch(r",?\s*(\d+)\s+(.+?),?\s+at\s+(.+)", rest, re.S)
        if m and squash(m[2]) in BY_SQUASH:                # Jones, supra, 4 Cal.4th at p. 12
            f.update(volume=m[1], reporter=BY_SQUASH[squash(m[2])], pin=pin_of(m[3]))
            return f
        rest = re.sub(r"^,?\s*(?:nn?\.|notes?|footnotes?|fns?\.)\s*\d+", "", rest)
        f["pin"] = pin_of(rest)
        return f
    m = re.match(r"(\d{4})\s+((?:[A-Z][\w.]*\s+)*?(?:WL|LEXIS))\s+(\d+)", span)
    if m:
        f.update(form="database", volume=m[1], reporter=BLANK.sub(" ", m[2]), page=m[3])
        rest, paren = split_paren(span[m.end():])
        f["pin"] = pin_of(rest)
        if paren is not None:
            read_paren(paren, f)
        return f
    m = re.match(r"ECLI:[A-Z]{2}:[A-Z]+:(\d{4}):(\d+)", span)
    if m:
        f.update(form="neutral", reporter=span[:m.start(1) - 1], year=m[1], page=m[2], key=m[0],
                 pin=pin_of(span[m.end():]))
        return f
    m = re.match(r"AIR\s+(\d{4})\s+(\w+)\s+(\d+)", span)
    if m:
        f.update(form="full", reporter="AIR", year=m[1], page=m[3], key=BLANK.sub(" ", m[0]),
                 pin=pin_of(span[m.end():]))
        return f
    m = (re.match(r"(?P<b>[\[(])(?P<y>\d{4})[\])]\s+(?:(?P<v>\d+)\s+)?(?P<r>[A-Z][A-Za-z.&'\u2019\s]*?(?:\((?:4th|3d|R|Comm)\))?)"
                  r"\s+(?P<p>\d+)", span)
         or re.match(r"(?P<y>\d{4})(?P<h>[\s-]+)(?P<r>[A-Z][A-Za-z ]*?(?: \(\w+\))?)(?P=h)(?P<p>\d+)", span))
    if m and bare(m["r"]) in FOREIGN:
        g = m.groupdict()
        r = FOREIGN[bare(g["r"])]
        neutral = r in CODES and g.get("b") != "(" and not g.get("v")
        if r in REPORTS and r in CODES:                    # SCC: 2008 SCC 9, but (1973) 4 SCC 225
            neutral = not g.get("b")
        f.update(form="neutral" if neutral else "full", year=g["y"], reporter=r, page=g["p"])
        if g.get("v"):
            f["volume"] = g["v"]
        f["key"] = BLANK.sub(" ", m[0])
        if g.get("b"):
            shut = "]" if g["b"] == "[" else ")"
            f["key"] = " ".join(x for x in (g["b"] + g["y"] + shut, g["v"], r, g["p"]) if x)
        rest = span[m.end():]
        d = re.match(r"\s+\(([A-Za-z ]+)\)", rest)         # (Ch), (HL)
        if d:
            rest = rest[d.end():]
            if neutral:
                f["key"] += f" ({d[1]})"
        body, paren = split_paren(rest)
        f["pin"] = pin_of(body)
        if paren is not None and not d:
            read_paren(paren, f)
        return f
    m = re.fullmatch(r"(\d+)\s+(.+?),?\s+at\s+(.+)", span, re.S)
    if m and squash(m[2]) in BY_SQUASH:
        r = BY_SQUASH[squash(m[2])]
        f.update(form="short", volume=m[1], reporter=r, pin=pin_of(m[3]))
        if r in SCOTUS:
            f["court"] = "scotus"
        return f
    m = re.match(r"(\d+)\s+(\D.*?)(\s+\(\d+\s+[A-Z][a-z]+\.?\))?\s+(\d+|_{2,})(?![\w.])", span, re.S)
    if m and squash(m[2]) in BY_SQUASH:
        r = BY_SQUASH[squash(m[2])]
        f.update(form="full", volume=m[1], reporter=r, page=m[4])
        rest, paren = split_paren(span[m.end():])
        f["pin"] = pin_of(rest)
        if paren is not None:
            read_paren(paren, f)
        if r in SCOTUS:
            f["court"] = "scotus"
        return f
    raise ValueError(f"cannot read {span!r}; set its fields by hand or add its reporter")


NAMES = dict(v="volume", r="reporter", p="page", pin="pin", y="year", c="court", form="form", key="key")


def unescape(s):
    s = s.replace("{nbsp}", "\u00a0").replace("{crlf}\n", "\r\n").replace("{crlf}", "\r\n")
    return re.sub(r"\{u([0-9a-f]{4,5})\}", lambda m: chr(int(m[1], 16)), s)


def passage(pid, kind, marked):
    text, cites, at = "", [], 0
    for m in re.finditer(r"⟦([^⟦⟧|]+)(?:\|([^⟦⟧|]*))?⟧", marked):
        text += unescape(marked[at:m.start()])
        at = m.end()
        span = unescape(m[1])
        hand = [a for a in (m[2] or "").split(";") if a]
        sets = dict(a.split("=", 1) for a in hand if "=" in a and a[0] != "=")
        f = {"form": sets["form"]} if {"form", "r"} <= sets.keys() else fields(span)
        f.update({NAMES[k]: v for k, v in sets.items()})
        for a in hand:
            if a.isdigit():
                f["of"] = int(a)
            elif a[0] == "=":
                f["parallel"] = int(a[1:])
        f = {k: v for k, v in f.items() if v not in ("", None)}
        if f["form"] in ("full", "neutral", "database") and "key" not in f:
            f["key"] = re.sub("_+", "___", " ".join(f[k] for k in ("volume", "reporter", "page") if k in f))
        if f["form"] in ("short", "supra", "id") and "of" in f:
            f["key"] = cites[f["of"]]["key"]
        cites.append({"start": len(text), "end": len(text) + len(span), **f})
        text += span
    text += unescape(marked[at:])
    order = "start end form volume reporter page pin year court key of parallel".split()
    cites = [{k: c[k] for k in order if k in c} for c in cites]
    return {"id": pid, "kind": kind, "text": text, "citations": cites}


def check(p):
    """Complain of what is wrong in a passage."""
    text, last = p["text"], 0
    if re.search(r"[⟦⟧{}]", text):
        yield "a mark is left in the text"
    if p["kind"] not in KINDS:
        yield f"unknown kind {p['kind']}"
    for i, c in enumerate(p["citations"]):
        span = text[c["start"]:c["end"]]
        if c["start"] < last or c["end"] <= c["start"]:
            yield f"citation {i} overlaps"
        last = c["end"]
        if span != span.strip() or span[-1] in ",;:":
            yield f"citation {i} {span!r} has a loose end"
        if span.endswith(".") and c["form"] != "id" and not span.endswith("supra."):
            yield f"citation {i} {span!r} ends in a full stop"
        if span.count("(") != span.count(")") or span.count("[") != span.count("]"):
            yield f"citation {i} {span!r} has half a bracket"
        if c["form"] not in FORMS:
            yield f"citation {i} has form {c['form']}"
        for k in ("volume", "reporter", "page", "pin", "year"):
            if k in c and bare(c[k]) not in bare(span):
                yield f"citation {i}: {k} {c[k]!r} is not in {span!r}"
        if c["form"] == "full" and not {"reporter", "page", "key"} <= c.keys():
            yield f"citation {i} {span!r} lacks fields"
        for k in ("of", "parallel"):
            if k in c and (c[k] >= i or p["citations"][c[k]]["form"] in ("id", "short", "supra")):
                yield f"citation {i}: {k} {c[k]} is no earlier full citation"
        if c["form"] == "short" and "of" in c:
            t = p["citations"][c["of"]]
            if (t.get("volume"), t["reporter"]) != (c.get("volume"), c["reporter"]):
                yield f"citation {i} {span!r} does not fit citation {c['of']}"


def build():
    src = (HERE / "citations.txt").read_text(encoding="utf-8")
    parts = re.split(r"^@ (c\d{3}) (\w+)\n", src, flags=re.M)[1:]
    out, bad = [], []
    for pid, kind, marked in zip(parts[0::3], parts[1::3], parts[2::3]):
        try:
            p = passage(pid, kind, marked.rstrip("\n"))
        except (ValueError, IndexError, KeyError) as e:
            bad.append(f"{pid}: {e}")
            continue
        bad += [f"{pid}: {b}" for b in check(p)]
        out.append(p)
    ids = [p["id"] for p in out]
    if len(set(ids)) != len(ids):
        bad.append("an id comes twice")
    words = {p["id"]: set(re.findall(r"[a-z]{4,}", p["text"].lower())) for p in out}
    for i, a in enumerate(ids):
        for b in ids[i + 1:]:
            same = len(words[a] & words[b]) / max(1, len(words[a] | words[b]))
            if same > 0.4:
                bad.append(f"{a} and {b} are near copies ({same:.2f})")
    return out, bad


def counts(out):
    print("passages", len(out), "citations", sum(len(p["citations"]) for p in out))
    print("kinds", dict(collections.Counter(p["kind"] for p in out)))
    print("forms", dict(collections.Counter(c["form"] for p in out for c in p["citations"])))
    print("passages with form", dict(collections.Counter(f for p in out for f in sorted({c["form"] for c in p["citations"]}))))
    print("passages without a citation", sum(not p["citations"] for p in out))
    print("parallel", sum("parallel" in c for p in out for c in p["citations"]))
    print("back references with of", sum("of" in c and c["form"] != "database" for p in out for c in p["citations"]),
          "without", sum("of" not in c and c["form"] in ("id", "short", "supra") for p in out for c in p["citations"]))
    print("Case numbers of EU courts", [p["id"] for p in out if re.search(r"\bCases?\s+(?:[CT]-)?\d+/\d+", p["text"])])
    print("supra with volume", [p["id"] for p in out if any(c["form"] == "supra" and "volume" in c for c in p["citations"])])
    print("reporters", len({c["reporter"] for p in out for c in p["citations"] if "reporter" in c}))


def main(args):
    out, bad = build()
    for b in bad:
        print(b, file=sys.stderr)
    if "--list" in args:
        for p in out:
            for c in p["citations"]:
                rest = {k: v for k, v in c.items() if k not in ("start", "end")}
                print(p["id"], repr(p["text"][c["start"]:c["end"]]), rest)
    if "--counts" in args:
        counts(out)
    if bad:
        return 1
    body = "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in out)
    target = HERE / "citations.jsonl"
    if "--check" in args:
        if target.read_text(encoding="utf-8") != body:
            print("citations.jsonl is stale: run citations.py", file=sys.stderr)
            return 1
    elif not {"--list", "--counts"} & set(args):
        target.write_text(body, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
