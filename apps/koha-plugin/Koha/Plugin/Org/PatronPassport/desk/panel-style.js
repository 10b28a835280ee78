import { element } from './element.js';

const CSS = `
  :host { display: block; margin: 0 0 1em; }
  section { background: #fff; border: 1px solid #b9c7b9; border-left: 5px solid #1f5f8b; border-radius: 4px;
    box-sizing: border-box; color: #222; font-size: 14px; line-height: 1.45; max-width: 46em; overflow-wrap: anywhere;
    padding: 14px 18px 16px; }
  section[data-tone="good"] { border-left-color: #2f7031; }
  section[data-tone="warn"] { background: #fffaf0; border-color: #d9b65c; border-left-color: #b8860b; }
  section[data-tone="bad"] { border-left-color: #a94442; }
  header { align-items: center; display: flex; gap: 1em; justify-content: space-between; }
  h2 { color: #444; font-size: 13px; font-weight: 600; letter-spacing: 0.02em; margin: 0; }
  .result { align-items: baseline; color: #222; display: flex; gap: 9px; margin: 8px 0 2px; }
  [data-tone="good"] .result { color: #235a25; }
  [data-tone="warn"] .result { color: #6f4e00; }
  [data-tone="bad"] .result { color: #8a2f2d; }
  .sign { border: 2px solid currentColor; border-radius: 50%; box-sizing: border-box; flex: none; font-size: 13px;
    font-weight: 700; height: 20px; line-height: 16px; text-align: center; width: 20px; }
  .sign::before { content: "\\2026"; }
  [data-tone="good"] .sign::before { content: "\\2713"; }
  [data-tone="warn"] .sign { border-radius: 4px; }
  [data-tone="warn"] .sign::before { content: "!"; }
  [data-tone="bad"] .sign { border-radius: 4px; border-style: double; border-width: 3px; line-height: 14px; }
  [data-tone="bad"] .sign::before { content: "\\00d7"; }
  .headline { font-size: 18px; font-weight: 600; line-height: 1.35; margin: 0; outline: none; }
  .advice { margin: 0 0 4px; }
  .advice:empty { display: none; }
  ol { display: flex; flex-wrap: wrap; gap: 4px 22px; list-style: none; margin: 12px 0 0; padding: 0; }
  li[data-is] { align-items: baseline; color: #5c5c5c; display: flex; flex-wrap: wrap; gap: 0 6px; padding-left: 23px;
    position: relative; }
  li[data-is="now"] { color: #222; font-weight: 600; }
  li[data-is="done"] { color: #235a25; }
  li[data-is="several"], li[data-is="stopped"] { color: #6f4e00; }
  li[data-is="failed"] { color: #8a2f2d; }
  .mark { border: 2px solid currentColor; border-radius: 50%; box-sizing: border-box; font-size: 11px; font-weight: 700;
    height: 16px; left: 0; line-height: 12px; position: absolute; text-align: center; top: 2px; width: 16px; }
  [data-is="later"] .mark, [data-is="skipped"] .mark { border-style: dotted; }
  [data-is="done"] .mark::before { content: "\\2713"; }
  [data-is="none"] .mark::before { content: "0"; }
  [data-is="several"] .mark::before { content: "2"; }
  [data-is="stopped"] .mark { border-radius: 3px; }
  [data-is="stopped"] .mark::before { content: "!"; }
  [data-is="skipped"] .mark::before { content: "\\2013"; }
  [data-is="unknown"] .mark::before { content: "?"; }
  [data-is="failed"] .mark { border-radius: 3px; }
  [data-is="failed"] .mark::before { content: "\\00d7"; }
  [data-is="now"] .mark { animation: spin 0.9s linear infinite; border-color: #1f5f8b; border-right-color: #d5e3ee; }
  @keyframes spin { to { transform: rotate(360deg); } }
  form { align-items: end; border-top: 1px solid #e3e8e3; display: flex; flex-wrap: wrap; gap: 8px 10px;
    margin: 14px 0 0; padding: 12px 0 0; }
  label { display: block; font-weight: 600; width: 100%; }
  label small { color: #5c5c5c; display: block; font-size: 13px; font-weight: 400; }
  input { background: #fff; border: 1px solid #777; border-radius: 4px; box-sizing: border-box; color: #222;
    flex: 1 1 16em; font: inherit; max-width: 24em; min-width: 0; padding: 6px 8px; }
  .fault { color: #8a2f2d; margin: 0; width: 100%; }
  .fault:empty { display: none; }
  .choice, .scans li { align-items: baseline; display: flex; flex-wrap: wrap; gap: 8px; }
  .choice { width: 100%; }
  .choice[hidden] { display: none; }
  .scans { list-style: none; margin: 8px 0 0; padding: 0; }
  .scans li { border-top: 1px solid #e3e8e3; padding: 6px 0; }
  .scans .said { flex: 1 1 14em; }
  .scans .time { color: #5c5c5c; }
  .scans [data-tone="warn"] .said { color: #6f4e00; font-weight: 600; }
  .scans [data-tone="bad"] .said { color: #8a2f2d; font-weight: 600; }
  .consent { border-top: 1px solid #e3e8e3; margin: 14px 0 0; padding: 12px 0 0; }
  .consent .text { margin: 0 0 10px; white-space: pre-line; }
  .decision { border-top: 1px solid #e3e8e3; margin: 14px 0 0; padding: 12px 0 0; }
  .decision ul { display: flex; flex-wrap: wrap; gap: 8px; list-style: none; margin: 0; padding: 0; }
  kbd { border: 1px solid currentColor; border-radius: 3px; font: inherit; font-size: 12px; margin-left: 8px; padding: 0 4px; }
  .answers { display: flex; flex-wrap: wrap; gap: 8px; }
  .actions { align-items: flex-start; display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 0; }
  button, .go { background: #fff; border: 1px solid #777; border-radius: 4px; box-sizing: border-box; color: #222;
    cursor: pointer; display: inline-block; font: inherit; padding: 6px 14px; text-decoration: none; }
  button:hover, .go:hover { background: #f1f4f1; }
  .main, .main > .go { background: #2f7031; border-color: #2f7031; color: #fff; font-weight: 600; }
  .main:hover, .main > .go:hover { background: #255a27; }
  details.main, details.main:hover { background: none; border: 0; }
  summary { list-style: none; }
  summary::-webkit-details-marker { display: none; }
  [aria-keyshortcuts="Alt+N"]::after { content: " (Alt+N)"; font-weight: 400; }
  summary::after { content: " (Alt+N) \\25be"; }
  .register ul { background: #fff; border: 1px solid #777; border-radius: 4px; list-style: none; margin: 4px 0 0;
    max-height: 16em; overflow-y: auto; padding: 4px 0; }
  .register li a { color: #17518a; display: block; font-weight: 400; padding: 5px 14px; }
  button:focus-visible, a:focus-visible, summary:focus-visible, input:focus-visible { outline: 3px solid #1f5f8b;
    outline-offset: 2px; }
  .register li a:focus-visible { outline-offset: -3px; }
  button:disabled, input:disabled { background: #eee; color: #555; cursor: default; }
  [hidden] { display: none !important; }
  .unseen { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; white-space: nowrap; width: 1px; }
  @media (max-width: 400px) {
    section { padding-inline: 12px; }
    .headline { font-size: 16px; hyphens: auto; }
  }
  @media (prefers-reduced-motion: reduce) { [data-is="now"] .mark { animation: none; } }
  @media (forced-colors: active) {
    section[data-tone="warn"] { border-left-style: dashed; }
    section[data-tone="bad"] { border-left-style: double; border-left-width: 8px; }
    [data-is="now"] .mark { border-color: Highlight; border-right-color: Canvas; forced-color-adjust: none; }
    .main, .main > .go { border-width: 3px; }
  }
`;

/** Koha's own style sheets stop at the panel's edge, and a policy against inline styles does not mind these. */
export function dress(root, css = CSS) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(element('style', {}, css));
  }
}
