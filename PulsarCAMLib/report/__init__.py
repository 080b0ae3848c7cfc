"""Reports: one scan's result as one web page for screen and paper; nothing heavy is imported before it is written."""

from .page import report_html, write_report

__all__ = ["report_html", "write_report"]
