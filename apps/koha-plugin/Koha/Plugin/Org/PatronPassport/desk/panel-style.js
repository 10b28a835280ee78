import { element } from './element.js';

const CSS = `
  :host { display: block; margin: 0 0 1em; }
  section { background: #fff; border: 1px solid #b9c7b9; border-left: 5px solid #1f5f8b; border-radius: 4px;
    box-sizing: border-box; color: #222; font-size: 14px; line-height: 1.45; max-width: 46em; padding: 14px 18px 16px; }
  section[data-tone="good"] { border-left-color: #2f7031; }
  section[data-tone="partly"] { border-left-color: #b8860b; }
  section[data-tone="bad"] { border-left-color: #a94442; }
  header { align-items: center; display: flex; gap: 1em; justify-content: space-between; }
  h2 { color: #444; font-size: 13px; font-weight: 600; letter-spacing: 0.02em; margin: 0; }
  .headline { font-size: 18px; font-weight: 600; line-height: 1.35; margin: 8px 0 2px; outline: none; }
  [data-tone="good"] .headline, [data-tone="partly"] .headline { color: #235a25; }
  [data-tone="bad"] .headline { color: #8a2f2d; }
  .advice { margin: 0 0 4px; }
  .advice:empty { display: none; }
  ol { display: flex; flex-wrap: wrap; gap: 4px 22px; list-style: none; margin: 12px 0 0; padding: 0; }
  li { align-items: center; color: #5c5c5c; display: flex; gap: 7px; }
  li[data-is="now"] { color: #222; font-weight: 600; }
  li[data-is="done"] { color: #235a25; }
  li[data-is="failed"] { color: #8a2f2d; }
  .mark { border: 2px solid #9a9a9a; border-radius: 50%; box-sizing: border-box; display: inline-block; flex: none;
    height: 16px; position: relative; width: 16px; }
  [data-is="done"] .mark { background: #2f7031; border-color: #2f7031; }
  [data-is="done"] .mark::after { border: solid #fff; border-width: 0 2px 2px 0; content: ""; height: 7px; left: 4px;
    position: absolute; top: 1px; transform: rotate(45deg); width: 3px; }
  [data-is="failed"] .mark { background: #a94442; border-color: #a94442; }
  [data-is="failed"] .mark::after { background: #fff; content: ""; height: 2px; left: 2px; position: absolute;
    top: 5px; width: 8px; }
  [data-is="now"] .mark { animation: spin 0.9s linear infinite; border-color: #1f5f8b; border-right-color: #d5e3ee; }
  @keyframes spin { to { transform: rotate(360deg); } }
  form { align-items: end; border-top: 1px solid #e3e8e3; display: flex; flex-wrap: wrap; gap: 6px 10px;
    margin: 14px 0 0; padding: 12px 0 0; }
  form[hidden] { display: none; }
  label { display: block; font-weight: 600; width: 100%; }
  label small { color: #5c5c5c; display: block; font-size: 13px; font-weight: 400; }
  input { background: #fff; border: 1px solid #777; border-radius: 4px; box-sizing: border-box; color: #222;
    flex: 1 1 16em; font: inherit; max-width: 24em; padding: 6px 8px; }
  .fault { color: #8a2f2d; margin: 0; width: 100%; }
  .fault:empty { display: none; }
  .actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 0; }
  button, .go { background: #fff; border: 1px solid #777; border-radius: 4px; color: #222; cursor: pointer;
    font: inherit; padding: 6px 14px; text-decoration: none; }
  button:hover, .go:hover { background: #f1f4f1; }
  .main { background: #2f7031; border-color: #2f7031; color: #fff; font-weight: 600; }
  .main:hover { background: #255a27; }
  button:focus-visible, .go:focus-visible, input:focus-visible { outline: 3px solid #1f5f8b; outline-offset: 2px; }
  button:disabled, input:disabled { background: #eee; color: #555; cursor: default; }
  [hidden] { display: none; }
  .unseen { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; white-space: nowrap; width: 1px; }
  @media (prefers-reduced-motion: reduce) { [data-is="now"] .mark { animation: none; } }
`;

/** Koha's own style sheets stop at the panel's edge, and a policy against inline styles does not mind these. */
export function dress(root) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(element('style', {}, CSS));
  }
}
