"""Parts of a page as HTML, for pages that are put together in Python; all are made by the templates' macros."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from .templating import environment, number, printable, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

__all__ = ["definitions", "image", "number", "page", "paragraphs", "section", "table", "text"]


def text(value: object) -> str:
    """Escaped text; characters that no page can hold become "?"."""
    return html.escape(printable(str(value)), quote=True)


def section(title: str, *content: str, kind: str = "") -> str:
    """A headed part of the page; ``content`` is HTML."""
    return _macro("section", title, kind, caller=_caller("\n".join(content)))


def paragraphs(sentences: Iterable[str]) -> str:
    """A list of sentences."""
    return _macro("sentences", sentences)


def definitions(entries: Mapping[str, object] | Iterable[tuple[str, object]]) -> str:
    """Terms and what they mean or are."""
    return _macro("definitions", entries.items() if isinstance(entries, Mapping) else entries)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """``heads`` is text, the cells are HTML."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return _macro("table", heads, caller=_caller(body))


def image(png: bytes, description: str) -> str:
    """A picture inside the page."""
    return _macro("image", png, description)


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
    found = "\n".join(filter(None, sections))
    values = {"title": title, "about": about, "origin": origin, "footer": footer, "more_style": more_style}
    return render("plain_page.html", sections=found, **values)


def _macro(name: str, *values: object, **options: object) -> str:
    macros = environment().get_template("macros.html").module
    return str.__str__(getattr(macros, name)(*values, **options)).strip()


def _caller(content: str) -> Callable[[], Markup]:
    from markupsafe import Markup

    return lambda: Markup(content)
