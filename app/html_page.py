"""Pages for people who get a file from the program: one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

from html import escape

STYLE = """
:root { color-scheme: light dark; --page: #f6f6f3; --card: #fff; --text: #1d1f1e; --soft: #6a6e6b; --line: #e3e3dd; }
@media (prefers-color-scheme: dark) {
  :root { --page: #141716; --card: #1c201f; --text: #e7ebe9; --soft: #9aa4a0; --line: #2e3432; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2.5rem 1.25rem; background: var(--page); color: var(--text);
  font: 15px/1.5 Inter, "Segoe UI", system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; }
.soft { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.25rem;
  margin-top: 1.25rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: .85rem; }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td { overflow-wrap: anywhere; }
.time { white-space: nowrap; color: var(--soft); font-variant-numeric: tabular-nums; }
.name { font-weight: 600; }
code { font: .85em/1.5 "JetBrains Mono", ui-monospace, Consolas, monospace; white-space: pre-wrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .75rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
@media print {
  :root { --page: #fff; --card: #fff; --text: #000; --soft: #444; --line: #bbb; }
  body { padding: 0; font-size: 10pt; }
  section { border: 0; padding: 0; margin-top: 1.5rem; overflow: visible; }
  main { max-width: none; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""


def beginning(title: str) -> str:
    """Everything before the page's own content, which ends with </main></body></html>."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
