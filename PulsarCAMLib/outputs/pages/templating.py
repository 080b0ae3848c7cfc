"""Pages from jinja2 templates: whatever comes from outside is escaped, unless a template says otherwise.

The templates and the style sheet lie in ``Resources/Templates``. ``page.html`` is what every page extends,
``macros.html`` holds what pages share.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import __version__

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).resolve().parents[2] / "Resources" / "Templates"
RESEARCH_ONLY = "Research use only: not a medical device, not for diagnosis or treatment decisions."


def render(template: str, **values: object) -> str:
    """A page as text.

    Args:
        template: name of a file in :data:`TEMPLATES`.
        values: what it names; one that it misses is a programmer's mistake and raises.
    """
    return environment().get_template(template).render(research_only=RESEARCH_ONLY, version=__version__, **values)


@cache
def environment() -> Environment:
    """The one environment of all pages."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"number": number, "percent": percent, "base64": _base64}
    made.filters |= {"breakable": _breakable, "percent_unbroken": _percent_unbroken}
    return made


def number(value: float, digits: int = 2) -> str:
    """With a real minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    """A share as "12 %"."""
    return f"{100 * share:.0f} %"


def printable(plain: str) -> str:
    """Text in which characters that no page can hold became "?"."""
    plain = plain.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in plain)


def _printable(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _percent_unbroken(page: Markup) -> Markup:
    """No line ends between a number and its "%"."""
    return page.replace(" %", "\u00a0%")


def _base64(content: bytes) -> Markup:
    from markupsafe import Markup

    return Markup(base64.b64encode(content).decode("ascii"))


def _breakable(name: str) -> Markup:
    """A long name with underscores, at which a line may end."""
    from markupsafe import Markup, escape

    return Markup("_<wbr>").join(escape(part) for part in printable(name).split("_"))
