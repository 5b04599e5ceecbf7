"""Style and script of a report. The script is named by its hash in the page's policy: nothing else can run there."""

from app.comparison.page_colors import ACCENT, LINE, MUTED, PANEL, SURFACE, TEXT

_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"

STYLE = f"""\
*,*::before,*::after{{box-sizing:border-box}}
html{{background:{SURFACE};color:{TEXT};font:15px/1.55 {_FONTS};scroll-behavior:smooth;scroll-padding-top:24px;
  -webkit-text-size-adjust:100%}}
body{{margin:0 auto;padding:48px 32px 96px;max-width:1224px}}
:focus-visible{{outline:2px solid {ACCENT};outline-offset:2px;border-radius:4px}}
a{{color:{ACCENT}}}
p{{max-width:74ch;margin:0 0 12px}}
.skip{{position:absolute;left:-999px}}
.skip:focus{{left:16px;top:12px}}
.made{{color:{ACCENT};font-size:12px;font-weight:600;letter-spacing:.14em;text-transform:uppercase;margin:0 0 6px}}
h1{{font-size:30px;line-height:1.2;font-weight:650;letter-spacing:-.012em;margin:0 0 20px;overflow-wrap:anywhere}}
.lead{{font-size:20px;line-height:1.45;max-width:60ch;margin:0 0 28px;text-wrap:pretty}}
.facts{{display:grid;grid-template-columns:repeat(auto-fit,minmax(250px,1fr));gap:1px;margin:0;padding:0;
  background:{PANEL};border:1px solid {LINE};border-radius:10px;overflow:hidden}}
.facts div{{background:{PANEL};padding:10px 16px 12px;box-shadow:0 0 0 1px {LINE}}}
.facts dt{{color:{MUTED};font-size:12px}}
.facts dd{{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}}
nav{{margin:28px 0 0}}
nav ol{{list-style:none;display:flex;flex-wrap:wrap;gap:8px;margin:0;padding:0}}
nav a{{display:block;color:{MUTED};font-size:13px;text-decoration:none;border:1px solid {LINE};border-radius:99px;
  padding:4px 14px}}
nav a:hover{{color:{TEXT};border-color:{MUTED}}}
section{{margin-top:64px}}
h2{{font-size:21px;line-height:1.3;font-weight:650;letter-spacing:-.005em;margin:0 0 14px;padding-top:18px;
  border-top:1px solid {LINE}}}
h3{{font-size:16px;font-weight:600;margin:36px 0 8px}}
.scroll{{overflow-x:auto;margin:0 0 24px;
  background:linear-gradient(to left,{SURFACE} 24px,transparent 48px) right/48px 100% no-repeat local,
  linear-gradient(to left,{LINE},transparent) right/9px 100% no-repeat scroll}}
table{{border-collapse:separate;border-spacing:0;font-size:14px;line-height:1.4;
  font-variant-numeric:tabular-nums lining-nums}}
caption{{text-align:left;color:{MUTED};font-size:13px;padding:0 0 8px;caption-side:top}}
caption span{{display:block;position:sticky;left:0;width:max-content;max-width:min(110ch,calc(100vw - 80px))}}
th,td{{padding:7px 12px;border-bottom:1px solid {LINE};vertical-align:baseline;white-space:nowrap}}
th:first-child,td:first-child{{padding-left:10px}}
.number{{text-align:right}}
.text{{text-align:left}}
td.text{{white-space:normal;overflow-wrap:break-word;max-width:46em}}
td.text:has(.mark){{white-space:nowrap;min-width:0}}
tbody th{{font-weight:400}}
th:first-child{{position:sticky;left:0;z-index:1;background:{SURFACE}}}
tbody tr:hover th{{background:{PANEL}}}
tbody tr:hover{{background:{PANEL}}}
table.wide{{width:100%}}
thead th{{padding:0;vertical-align:bottom}}
thead th:first-child{{padding:0}}
thead button{{all:unset;display:block;box-sizing:border-box;width:100%;cursor:pointer;color:{MUTED};
  font-size:12.5px;font-weight:500;padding:6px 12px;white-space:normal}}
thead th:first-child button{{padding-left:10px}}
thead .number button{{width:max-content;min-width:100%;max-width:11em;margin-left:auto}}
thead .mark{{width:14px;height:8px;margin-right:6px}}
thead button:hover{{color:{TEXT}}}
thead button:focus-visible{{outline:2px solid {ACCENT};outline-offset:-2px}}
thead button::after{{content:"";display:inline-block;width:0;margin-left:2px}}
thead th.number button::after{{position:absolute}}
thead [aria-sort=ascending] button,thead [aria-sort=descending] button{{color:{TEXT}}}
thead [aria-sort=ascending] button::after{{content:"\\2191"}}
thead [aria-sort=descending] button::after{{content:"\\2193"}}
td small,th small{{display:inline-block;color:{MUTED};font-size:11.5px;text-align:left;margin-left:7px;
  font-weight:400}}
.best strong{{font-weight:700}}
.mark{{display:inline-block;width:20px;height:10px;border-radius:3px;background:var(--mark);margin-right:9px}}
.mark.dashed{{background:repeating-linear-gradient(115deg,var(--mark) 0 4px,transparent 4px 6.5px)}}
.legend{{list-style:none;display:flex;flex-wrap:wrap;gap:6px 26px;margin:0 0 20px;padding:0;font-size:14px}}
figure{{margin:0 0 24px}}
figcaption{{color:{MUTED};font-size:13px;max-width:100ch;margin-top:6px;overflow-wrap:anywhere}}
.plot .scroll{{margin:0}}
svg{{display:block;width:100%;height:auto}}
svg text{{font-family:{_FONTS}!important;font-variant-numeric:tabular-nums}}
.pictures{{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:20px 18px;align-items:start;
  margin-bottom:20px}}
.pictures figure{{margin:0}}
.pictures figure.large{{grid-column:1/-1}}
.pictures button{{all:unset;display:block;width:100%;cursor:zoom-in;border-radius:8px;overflow:hidden}}
.pictures .large button{{cursor:zoom-out}}
.pictures button:focus-visible{{outline:2px solid {ACCENT};outline-offset:2px}}
.pictures img{{display:block;width:100%;height:280px;object-fit:contain;background:{PANEL}}}
.pictures dl{{margin:6px 0 0;font-variant-numeric:tabular-nums}}
.pictures dl div{{display:flex;align-items:baseline;gap:8px}}
.pictures dt{{flex:1;display:flex;align-items:baseline}}
.pictures .mark{{flex:none}}
.pictures dd{{margin:0;color:{TEXT}}}
.pictures .large img{{height:auto;max-height:92vh}}
.terms{{display:grid;grid-template-columns:minmax(110px,max-content) minmax(0,74ch);gap:10px 24px;margin:0 0 16px}}
.terms dt{{font-weight:600}}
.terms dd{{margin:0}}
details{{margin:0 0 20px}}
summary{{cursor:pointer;color:{MUTED};padding:4px 0;margin-bottom:8px}}
summary:hover{{color:{TEXT}}}
@media (min-width:1560px){{
  body{{display:grid;grid-template-columns:190px minmax(0,1160px);column-gap:56px;max-width:1470px;align-items:start}}
  header,main{{grid-column:2}}
  nav{{grid-column:1;grid-row:1/span 2;position:sticky;top:56px;margin:0;padding-top:22px}}
  nav ol{{display:block}}
  nav a{{border:0;border-left:2px solid {LINE};border-radius:0;padding:5px 0 5px 14px;line-height:1.35}}
  nav a:hover{{border-color:{ACCENT}}}
}}
@media (max-width:700px){{
  body{{padding:28px 16px 64px}}
  h1{{font-size:25px}}
  .lead{{font-size:18px}}
  .facts{{grid-template-columns:1fr 1fr}}
  .facts div{{padding:8px 12px}}
  section{{margin-top:48px}}
  svg{{min-width:760px}}
  caption span{{max-width:calc(100vw - 50px)}}
  tbody th{{white-space:normal;min-width:128px}}
  tbody th .mark{{width:12px;margin-right:6px}}
  .terms{{grid-template-columns:1fr;gap:0}}
  .terms dd{{margin-bottom:12px}}
}}
@media (prefers-reduced-motion:reduce){{html{{scroll-behavior:auto}}}}
@media print{{
  html{{font-size:11px;color-scheme:light}}
  body{{padding:0;max-width:none}}
  body{{display:block}}
  nav,.skip{{display:none}}
  section{{margin-top:28px}}
  h1{{font-size:22px}}
  p,dd,dt,.legend,summary{{font-size:11px!important}}
  .lead{{font-size:15px!important}}
  caption,figcaption{{font-size:10px}}
  .facts div{{padding:5px 10px 6px}}
  .facts{{grid-template-columns:repeat(4,1fr)}}
  table{{font-size:10px}}
  th,td{{padding:3px 7px}}
  thead button{{padding:3px 7px;font-size:9.5px;white-space:normal}}
  td small,th small{{font-size:8.5px;margin-left:4px}}
  h2,h3,caption{{break-after:avoid}}
  tr,figure,.facts div{{break-inside:avoid}}
  h2+p{{break-after:avoid}}
  .scroll{{overflow:visible;background:none}}
  .pictures img{{height:170px}}
  .pictures{{grid-template-columns:repeat(3,1fr)}}
  .mark{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
}}
"""

SCRIPT = """
"use strict";
const collator = new Intl.Collator("en", {numeric: true, sensitivity: "base"});
function compared(first, second, numeric, sign) {
  if (first === "" || second === "") return (first === "") - (second === "");
  const order = numeric ? Number(first) - Number(second) : collator.compare(first, second);
  return sign * order || 0;
}
function sortBy(head) {
  const numeric = head.classList.contains("number");
  const before = head.getAttribute("aria-sort");
  const falling = before === "none" ? numeric : before === "ascending";
  for (const other of head.parentNode.children) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  const body = head.closest("table").tBodies[0], place = head.cellIndex;
  const key = (row) => row.cells[place].dataset.sort;
  const sorted = [...body.rows].sort((a, b) => compared(key(a), key(b), numeric, falling ? -1 : 1));
  body.append(...sorted);
}
function enlarge(button) {
  const large = button.closest("figure").classList.toggle("large");
  button.setAttribute("aria-pressed", String(large));
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const head = button.closest("th");
  if (head) sortBy(head); else enlarge(button);
});
"""
