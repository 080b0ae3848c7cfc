"""Pages and tables of reports, read as a browser or spreadsheet would."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "use", "path"}


class Page(HTMLParser):
    """Attributes and text; HTML tags must close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())


def table_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
