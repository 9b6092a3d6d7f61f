"""Keeps what the fuzzers found: `unpack` makes corpus/TARGET/ of found/TARGET.json, an input a line, and `pack` the reverse."""

import json, pathlib, sys

here = pathlib.Path(__file__).parent
for found in sorted(here.glob("found/*.json")):
    corpus = here / "corpus" / found.stem
    corpus.mkdir(parents=True, exist_ok=True)
    if sys.argv[1] == "unpack":
        for number, text in enumerate(json.loads(found.read_text())):
            (corpus / str(number)).write_bytes(text.encode("latin-1"))  # each character is a byte
    else:
        texts = sorted({file.read_bytes().decode("latin-1") for file in corpus.iterdir()}, key=lambda text: (len(text), text))
        found.write_text("[\n" + ",\n".join(map(json.dumps, texts)) + "\n]\n")
