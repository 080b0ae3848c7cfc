"""Values as HTML: whatever comes from outside is escaped here."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence

from ... import __version__
from .style import STYLE


def text(value: object) -> str:
    """Escaped text; characters that no page can hold become "?"."""
    plain = str(value).encode("utf-8", "replace").decode("utf-8")
    return html.escape("".join(c if c.isprintable() or c in "\n\t" else "?" for c in plain), quote=True)


def number(value: float, digits: int = 2) -> str:
    """With a real minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def section(title: str, *content: str, kind: str = "") -> str:
    """A headed part of the page; ``content`` is HTML."""
    opening = f'<section class="{kind}">' if kind else "<section>"
    return f"{opening}\n<h2>{text(title)}</h2>\n" + "\n".join(content) + "\n</section>"


def paragraphs(sentences: Iterable[str]) -> str:
    """A list of sentences."""
    return "<ul>" + "".join(f"<li>{text(s)}</li>" for s in sentences) + "</ul>"


def definitions(entries: Mapping[str, object] | Iterable[tuple[str, object]]) -> str:
    """Terms and what they mean or are."""
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    return "<dl>" + "".join(f"<div><dt>{text(k)}</dt><dd>{text(v)}</dd></div>" for k, v in pairs) + "</dl>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """``heads`` is text, the cells are HTML."""
    head = "".join(f'<th scope="col">{text(h)}</th>' for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"


def image(png: bytes, description: str) -> str:
    """A picture inside the page."""
    data = base64.b64encode(png).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{text(description)}">'


def page(title: str, about: str, origin: str, sections: Iterable[str], footer: str, more_style: str = "") -> str:
    """A whole page that loads nothing and runs nothing.

    Args:
        title: plain text.
        about: plain text below it.
        origin: HTML: what everybody must know who reads the page.
        sections: HTML; empty ones are left out.
        footer: plain text.
        more_style: CSS beyond that of all reports.
    """
    return PAGE.format(
        title=text(title),
        about=text(about),
        origin=origin,
        sections="\n".join(filter(None, sections)),
        footer=text(footer),
        style=STYLE + more_style,
        version=text(__version__),
    )


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="generator" content="PulsarCAM {version}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="sub">{about}</p>
{origin}
</header>
{sections}
<footer>{footer}</footer>
</body>
</html>
"""
