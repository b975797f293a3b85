"""Reads one export of each format with the tool that it is for, and compares what the tool sees with the document.

    check.py FOLDER

FOLDER holds `sample.json` (the text and its entities) and `sample.` exports, as `producer/export/tests/golden` does. Where a tool
has no package that can be had without its server, its rule stands here, and the comment says which.
"""

import csv
import json
import sys
import tempfile
import zipfile
from pathlib import Path


def jsonl(path, text, entities):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    encoded = text.encode()
    for row in rows:
        assert encoded[row["start_byte"] : row["end_byte"]].decode() == row["text"]
    return rows


def csv_rows(path, text, entities):
    # Python's reader follows RFC 4180. An apostrophe protects a spreadsheet from a formula.
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert not row["text"].startswith(("=", "+", "-", "@", "\t", "\r"))
        row["text"] = row["text"].removeprefix("'")
        row["start"], row["end"] = int(row["start"]), int(row["end"])
        assert not row["value"] or json.loads(row["value"])["kind"]
    return rows


# The terms of http://www.w3.org/ns/anno.jsonld that an export uses (Web Annotation Vocabulary, appendix A). Nothing is fetched.
OA, ACTIVITY = "http://www.w3.org/ns/oa#", "http://www.w3.org/ns/activitystreams#"
ANNO = {
    "oa": OA, "as": ACTIVITY, "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "xsd": "http://www.w3.org/2001/XMLSchema#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "id": "@id", "type": "@type",
    "Annotation": "oa:Annotation", "TextualBody": "oa:TextualBody", "TextQuoteSelector": "oa:TextQuoteSelector",
    "TextPositionSelector": "oa:TextPositionSelector", "AnnotationPage": "as:OrderedCollectionPage",
    "AnnotationCollection": "as:OrderedCollection",
    "body": {"@id": "oa:hasBody", "@type": "@id"}, "target": {"@id": "oa:hasTarget", "@type": "@id"},
    "source": {"@id": "oa:hasSource", "@type": "@id"}, "selector": {"@id": "oa:hasSelector", "@type": "@id"},
    "motivation": {"@id": "oa:motivatedBy", "@type": "@vocab"}, "purpose": {"@id": "oa:hasPurpose", "@type": "@vocab"},
    "tagging": "oa:tagging", "exact": "oa:exact", "prefix": "oa:prefix", "suffix": "oa:suffix",
    "start": {"@id": "oa:start", "@type": "xsd:nonNegativeInteger"}, "end": {"@id": "oa:end", "@type": "xsd:nonNegativeInteger"},
    "value": "rdf:value", "label": "rdfs:label",
    "items": {"@id": "as:items", "@type": "@id", "@container": "@list"}, "partOf": {"@id": "as:partOf", "@type": "@id"},
    "startIndex": {"@id": "as:startIndex", "@type": "xsd:nonNegativeInteger"},
}


def web_annotation(path, text, entities):
    from pyld import jsonld

    def embedded(url, _options):
        assert url == "http://www.w3.org/ns/anno.jsonld", url
        return {"contextUrl": None, "documentUrl": url, "document": {"@context": ANNO}}

    [page] = jsonld.expand(json.loads(path.read_text()), {"documentLoader": embedded})
    assert page["@type"] == [ACTIVITY + "OrderedCollectionPage"]
    assert page[ACTIVITY + "partOf"][0]["@type"] == [ACTIVITY + "OrderedCollection"]
    rows = []
    for item in page[ACTIVITY + "items"][0]["@list"]:
        assert item["@type"] == [OA + "Annotation"] and item[OA + "motivatedBy"] == [{"@id": OA + "tagging"}]
        details = item["urn:docket:term:details"][0]
        assert details["@type"] == "@json" and details["@value"]["model"]
        [target] = item[OA + "hasTarget"]
        selectors = {selector["@type"][0]: selector for selector in target[OA + "hasSelector"]}
        position, quote = selectors[OA + "TextPositionSelector"], selectors[OA + "TextQuoteSelector"]
        start, end = (position[OA + name][0]["@value"] for name in ("start", "end"))
        exact, prefix, suffix = (quote[OA + name][0]["@value"] for name in ("exact", "prefix", "suffix"))
        assert prefix == text[max(0, start - 32) : start] and suffix == text[end : end + 32]
        label = item[OA + "hasBody"][0]["http://www.w3.org/1999/02/22-rdf-syntax-ns#value"][0]["@value"]
        rows.append({"label": label, "start": start, "end": end, "text": exact})
    return rows


def label_studio(path, text, entities):
    from label_studio_sdk.label_interface import LabelInterface

    labels = "".join(f'<Label value="{label}"/>' for label in sorted({entity["label"] for entity in entities}))
    config = f'<View><Labels name="label" toName="text">{labels}</Labels><Text name="text" value="$text"/></View>'
    interface = LabelInterface(config)
    [task] = json.loads(path.read_text())
    assert interface.validate_task({"data": task["data"]})
    assert task["data"]["text"] == text
    [prediction] = task["predictions"]
    assert interface.validate_prediction(prediction), interface.validate_prediction(prediction, return_errors=True)
    return [
        {"label": region["value"]["labels"][0], **{name: region["value"][name] for name in ("start", "end", "text")}}
        for region in prediction["result"]
    ]


def doccano(path, text, entities):
    # doccano 1.8.4 (2023) is a Django application. Its `SpanLabel.parse` takes a list of start, end and label, with start < end.
    [line] = path.read_text().splitlines()
    example = json.loads(line)
    assert example["text"] == text
    return [{"label": label, "start": start, "end": end, "text": text[start:end]} for start, end, label in example["label"]]


def spacy(path, text, entities):
    import spacy as library
    from spacy.tokens import Doc, DocBin

    nlp = library.blank("xx")
    [line] = path.read_text().splitlines()
    example = json.loads(line)
    assert example["text"] == text
    doc = nlp(example["text"])
    assert doc.text == text
    spans = [doc.char_span(span["start"], span["end"], label=span["label"], alignment_mode="expand") for span in example["spans"]]
    doc.spans["sc"] = spans
    # There and back in spaCy's own file format.
    packed = DocBin(docs=[doc]).to_bytes()
    [again] = DocBin().from_bytes(packed).get_docs(nlp.vocab)
    assert isinstance(again, Doc)
    rows = []
    for span, told in zip(again.spans["sc"], example["spans"], strict=True):
        assert told["text"] == text[told["start"] : told["end"]]
        assert told["text"] in span.text, "a span of tokens holds the entity"
        rows.append({"label": span.label_, "start": told["start"], "end": told["end"], "text": told["text"]})
    return rows


def brat(path, text, entities):
    from bratly import EntityAnnotation, NoteAnnotation
    from bratly.io import read_and_load_ann_file

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            archive.extractall(folder)
        [txt] = Path(folder).glob("*.txt")
        with txt.open(newline="") as file:
            assert file.read() == text
        file = str(txt.with_suffix(".ann"))
        annotations = read_and_load_ann_file(file, grammar_check=False, sorting=False, renumerotize=False).annotations
        assert "[entities]" in (Path(folder) / "annotation.conf").read_text()
    notes = [json.loads(note.value) for note in annotations if isinstance(note, NoteAnnotation)]
    rows = []
    for entity in (one for one in annotations if isinstance(one, EntityAnnotation)):
        fragments = [text[fragment.start : fragment.end] for fragment in entity.fragments]
        assert " ".join(fragments) == entity.content
        start, end = entity.fragments[0].start, entity.fragments[-1].end
        rows.append({"label": entity.label, "start": start, "end": end, "text": text[start:end]})
    assert len(notes) == len(rows) and all(note["model"] for note in notes)
    return rows

def conll(path, text, entities):
    from spacy.training.converters import conll_ner_to_docs

    docs = list(conll_ner_to_docs(path.read_text(), n_sents=0, no_print=True))
    words = [token.text for doc in docs for token in doc]
    solid = "".join(c for c in text if not c.isspace())
    assert "".join(words) == solid
    found = [(entity.label_, "".join(entity.text.split())) for doc in docs for entity in doc.ents]
    # Of entities within one another the longest stands.
    outer = [one for one in entities if not any(other is not one and within(one, other) for other in entities)]
    assert found == [(one["label"], "".join(one["text"].split())) for one in outer], found
    return entities


def within(one, other):
    return other["start"] <= one["start"] and one["end"] <= other["end"]


def opencontracts_text(path, text, entities):
    # The rule of opencontractserver/utils/importing.py: every annotation's label is in labels.json, `annotation_json` is kept.
    export, labels, document = opencontracts_files(path, "txt")
    assert document.decode() == text == export["content"] and export["pawls_file_content"] == []
    units = text.encode("utf-16-le")
    rows = []
    for annotation in export["labelled_text"]:
        assert labels["text_labels"][annotation["annotationLabel"]]["label_type"] == annotation["annotation_type"] == "SPAN_LABEL"
        span = annotation["annotation_json"]
        words = units[2 * span["start"] : 2 * span["end"]].decode("utf-16-le")
        assert words == span["text"] == annotation["rawText"]
        start = len(units[: 2 * span["start"]].decode("utf-16-le"))
        rows.append({"label": annotation["annotationLabel"], "start": start, "end": start + len(words), "text": words})
    return rows


def opencontracts_pdf(path):
    from plasmapdf.models.PdfDataLayer import build_translation_layer

    export, labels, document = opencontracts_files(path, "pdf")
    assert document.startswith(b"%PDF-")
    pages = export["pawls_file_content"]
    assert export["page_count"] == len(pages) and [page["page"]["index"] for page in pages] == list(range(len(pages)))
    layer = build_translation_layer(pages)
    assert layer.doc_text.split() == export["content"].split(), "the words of the pages are the text's"
    for annotation in export["labelled_text"]:
        assert labels["text_labels"][annotation["annotationLabel"]]["label_type"] == annotation["annotation_type"] == "TOKEN_LABEL"
        [(page, words)] = annotation["annotation_json"].items()
        assert page == str(annotation["page"]) and words["rawText"] == annotation["rawText"]
        tokens = [pages[token["pageIndex"]]["tokens"][token["tokenIndex"]] for token in words["tokensJsons"]]
        assert "".join(annotation["rawText"].split()) in "".join(token["text"] for token in tokens)
        bounds = words["bounds"]
        for token in tokens:
            assert bounds["left"] <= token["x"] and token["x"] + token["width"] <= bounds["right"] + 0.01
            assert bounds["top"] <= token["y"] and token["y"] + token["height"] <= bounds["bottom"] + 0.01
    return len(export["labelled_text"])


def opencontracts_files(path, ending):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        [document] = [name for name in names if name.endswith("." + ending)]
        sidecar = document.removesuffix(ending) + "json"
        assert sorted(names) == sorted([document, sidecar, "labels.json"])
        export, labels = json.loads(archive.read(sidecar)), json.loads(archive.read("labels.json"))
        # The keys of `OpenContractDocExport`.
        needed = {"title", "content", "description", "pawls_file_content", "page_count", "doc_labels", "labelled_text"}
        assert needed <= export.keys()
        return export, labels, archive.read(document)


READERS = {
    "sample.jsonl": jsonl,
    "sample.csv": csv_rows,
    "sample.annotations.jsonld": web_annotation,
    "sample.label-studio.json": label_studio,
    "sample.doccano.jsonl": doccano,
    "sample.spacy.jsonl": spacy,
    "sample.opencontracts.zip": opencontracts_text,
    "sample.brat.zip": brat,
    "sample.conll": conll,
}


def main(folder):
    expected = json.loads((folder / "sample.json").read_text())
    text, entities = expected["text"], expected["entities"]
    for name, read in READERS.items():
        rows = read(folder / name, text, entities)
        found = [{field: row[field] for field in ("end", "label", "start", "text")} for row in rows]
        assert found == entities, f"{name}: {found}"
        print(f"{name}: {len(rows)} entities, as expected")
    for path in sorted(folder.glob("pdf*.opencontracts.zip")):
        print(f"{path.name}: {opencontracts_pdf(path)} entities stand on their words")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
