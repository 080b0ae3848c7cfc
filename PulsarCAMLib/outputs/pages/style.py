"""Look of the report: dark and light on the screen, always light on A4 paper."""

LIGHT = """
  --paper: #ffffff; --ink: #1b1f24; --faint: #59636e; --line: #d5dae0; --panel: #f5f7f9;
  --accent: #0a6ca8; --bar: #0a6ca8; --track: #dfe5ea; --warn: #8a5a00; --warn-panel: #fff6e0;
"""

DARK = """
  --paper: #16181c; --ink: #eceff2; --faint: #a3abb5; --line: #343a42; --panel: #1f2329;
  --accent: #6cc4f5; --bar: #4aa8dd; --track: #343a42; --warn: #ffcf70; --warn-panel: #332a14;
"""

STYLE = f"""
:root {{ color-scheme: light dark; {LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1.6rem; max-width: 66rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 1.6rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.1rem; margin: 1.7rem 0 .5rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }}
p {{ margin: .35rem 0; }}
a {{ color: var(--accent); }}
.sub {{ color: var(--faint); }}
.origin {{ margin: .9rem 0 0; padding: .55rem .8rem; border-left: 4px solid var(--warn); background: var(--warn-panel);
  overflow-wrap: anywhere; }}
.origin strong {{ color: var(--warn); }}
.warnings ul {{ margin: 0; padding: .5rem .8rem .5rem 1.9rem; background: var(--warn-panel); overflow-wrap: anywhere; }}
.scroll {{ overflow-x: auto; }}
table {{ width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }}
th {{ text-align: right; vertical-align: bottom; font-weight: 600; color: var(--faint); line-height: 1.2; }}
th, td {{ padding: .32rem .45rem; border-bottom: 1px solid var(--line); }}
td {{ text-align: right; vertical-align: top; white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 8rem;
  padding-left: 0; }}
td small {{ display: block; color: var(--faint); }}
.bar {{ display: block; position: relative; height: .35rem; min-width: 6rem; margin-top: .25rem;
  background: var(--track); }}
.bar i {{ position: absolute; inset: 0 auto 0 0; background: var(--bar); }}
.bar b {{ position: absolute; top: -.15rem; bottom: -.15rem; width: 2px; background: var(--ink); }}
dl {{ margin: 0; columns: 2; column-gap: 2rem; font-size: .9rem; }}
dl div {{ break-inside: avoid; margin-bottom: .45rem; }}
dt {{ font-weight: 600; }}
dd {{ margin: 0; color: var(--faint); overflow-wrap: anywhere; }}
figure {{ margin: .6rem 0 1.2rem; break-inside: avoid; }}
figure img {{ display: block; width: 100%; height: auto; border-radius: 4px; }}
figcaption {{ color: var(--faint); font-size: .85rem; margin-top: .3rem; overflow-wrap: anywhere; }}
figcaption strong {{ color: var(--ink); }}
footer {{ margin-top: 1.6rem; padding-top: .5rem; border-top: 1px solid var(--line); color: var(--faint);
  font-size: .85rem; }}
@media (max-width: 40rem) {{ body {{ padding: 1rem; }} dl {{ columns: 1; }} }}
@media print {{
  :root {{ color-scheme: light; {LIGHT} }}
  @page {{ size: A4; margin: 14mm 14mm 16mm; }}
  html {{ font-size: 12px; }}
  body {{ padding: 0; max-width: none; font-size: 12px; }}
  * {{ -webkit-print-color-adjust: exact; print-color-adjust: exact; }}
  a {{ color: inherit; text-decoration: none; }}
  h2 {{ break-after: avoid; }}
  tr, .origin {{ break-inside: avoid; }}
  .scroll {{ overflow: visible; }}
  table {{ font-size: 11px; }}
  h2 {{ margin-top: 1.2rem; }}
  figure {{ margin-bottom: .8rem; }}
}}
"""
