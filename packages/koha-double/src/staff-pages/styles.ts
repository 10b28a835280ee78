/** The look of the staff pages: Koha-like, of our own making. */
export const styles = `
:root { --green: #2b6436; --deep: #1d4425; --line: #c9d6cb; --wash: #eef4ef; --ink: #1f2a21; }
* { box-sizing: border-box; }
body { background: #f4f6f4; color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0; }
a { color: #17518a; }
.skip { background: #fff; left: 0; padding: 8px 12px; position: absolute; top: -60px; }
.skip:focus { top: 0; z-index: 2; }
header { align-items: center; background: var(--deep); color: #fff; display: flex; flex-wrap: wrap; gap: 6px 24px;
  padding: 10px 20px; }
header a { color: #fff; text-decoration: none; }
header a:hover, header a[aria-current] { text-decoration: underline; text-underline-offset: 4px; }
.brand { font-size: 18px; font-weight: 700; }
.brand span { background: #fff; border-radius: 4px; color: var(--deep); display: inline-block; line-height: 1.3;
  margin-right: 6px; text-align: center; width: 1.4em; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 0; padding: 0; }
.tab-pane { display: none; }
.tab-pane.active { display: block; }
#header_search form { align-items: center; display: flex; flex-wrap: wrap; gap: 8px; }
#header_search .nav-tabs { display: flex; flex-wrap: wrap; gap: 4px 14px; list-style: none; margin: 4px 0 0; padding: 0; }
#header_search input, #header_search button { font: inherit; padding: 3px 8px; }
.btn-toolbar { margin: 0 0 16px; }
.branch { align-items: center; display: flex; gap: 8px; margin-left: auto; }
.branch select, .branch button { font: inherit; padding: 3px 8px; }
.page { display: flex; flex-wrap: wrap; gap: 20px; margin: 20px auto; max-width: 1160px; padding: 0 20px; }
main { background: #fff; border: 1px solid var(--line); border-radius: 6px; flex: 1 1 520px; min-width: 0; padding: 18px 24px 28px; }
aside { align-self: flex-start; flex: 0 1 270px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 16px; }
h2 { font-size: 18px; margin: 20px 0 8px; }
.patroninfo { background: #fff; border: 1px solid var(--line); border-radius: 6px; overflow-wrap: anywhere; padding: 16px; }
.patroninfo h2 { margin: 0; }
.patroninfo .card { color: #4a5a4d; margin: 2px 0 10px; }
.plain, .links { list-style: none; margin: 0; padding: 0; }
.links { border-top: 1px solid var(--line); display: flex; gap: 16px; margin-top: 12px; padding-top: 10px; }
dl { display: grid; gap: 2px 12px; grid-template-columns: auto 1fr; margin: 12px 0; }
dt { color: #4a5a4d; }
dd { margin: 0; overflow-wrap: anywhere; }
dl.record { grid-template-columns: minmax(10em, auto) 1fr; }
.scan { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; margin: 0 0 20px; padding: 16px; }
.scan label { display: block; font-weight: 600; margin-bottom: 6px; }
.scan div { display: flex; flex-wrap: wrap; gap: 10px; }
.scan input[type=text] { border: 1px solid #6b7d6e; border-radius: 4px; flex: 1 1 240px; font: inherit; max-width: 460px;
  padding: 8px 10px; }
button, .button { background: var(--green); border: 1px solid var(--green); border-radius: 4px; color: #fff; cursor: pointer;
  display: inline-block; font: inherit; font-weight: 600; padding: 8px 18px; text-decoration: none; }
button:hover, .button:hover { background: var(--deep); }
:focus-visible { outline: 3px solid #f0a202; outline-offset: 2px; }
.attention { background: #fff6df; border: 1px solid #e2c46c; border-left: 5px solid #b07d00; border-radius: 4px;
  margin: 0 0 20px; padding: 12px 16px; }
.attention h2 { margin: 0 0 4px; }
.attention ul { margin: 0; }
.attention form { align-items: center; display: flex; gap: 16px; margin-top: 10px; }
.good { background: #e6f3e8; border: 1px solid #9cc5a2; border-radius: 4px; padding: 10px 14px; }
.quiet { color: #4a5a4d; }
table { border-collapse: collapse; width: 100%; }
caption { font-weight: 600; padding: 8px 0; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: 8px 10px; text-align: left; vertical-align: top; }
th { background: var(--wash); }
.tiles { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); list-style: none; padding: 0; }
.tiles a { background: var(--wash); border: 1px solid var(--line); border-radius: 6px; display: block; font-weight: 600;
  padding: 18px; text-decoration: none; }
.tiles a:hover { border-color: var(--green); }
/* What Koha's own style gives the pages of a plugin. */
.main { margin: 0 auto 20px; max-width: 1160px; padding: 0 20px; }
.breadcrumb ol { display: flex; flex-wrap: wrap; gap: 4px 10px; list-style: none; margin: 12px auto; max-width: 1160px; padding: 0 20px; }
.breadcrumb li + li::before { content: "/"; margin-right: 10px; }
.dialog { background: #eef4ff; border: 1px solid #9db6d8; border-radius: 4px; margin: 0 0 16px; padding: 12px 16px; }
.dialog.alert-warning { background: #fff6df; border-color: #e2c46c; border-left: 5px solid #b07d00; }
.btn { border: 1px solid #6b7d6e; border-radius: 4px; color: var(--ink); cursor: pointer; display: inline-block; font: inherit;
  margin: 0 8px 6px 0; padding: 6px 14px; text-decoration: none; background: #fff; max-width: 100%; white-space: normal; }
.btn-primary { background: var(--green); border-color: var(--green); color: #fff; font-weight: 600; }
.badge { border: 1px solid currentcolor; border-radius: 4px; font-weight: 700; padding: 0 8px; }
.text-bg-success { background: #e6f3e8; color: #1d4425; }
.text-bg-danger { background: #fdeaea; color: #8a1414; }
.text-bg-warning { background: #fff6df; color: #5f4400; }
.text-bg-secondary { background: #eceeed; color: #3a463c; }
#installed_plugins td:last-child > * { display: inline-block; margin-right: 12px; }
#passport_checks, #passport_failed { list-style: none; padding: 0; }
#passport_checks li, #passport_failed li { border-bottom: 1px solid var(--line); padding: 8px 0; }
fieldset { border: 1px solid var(--line); border-radius: 6px; margin: 0 0 16px; min-width: 0; padding: 12px 16px; }
fieldset.action { border: 0; padding-left: 0; }
fieldset ol { list-style: none; margin: 0; padding: 0; }
fieldset li { margin: 0 0 12px; }
/* Of Bootstrap, which Koha has. */
.text-break { overflow-wrap: anywhere; }
fieldset .hint, fieldset label { overflow-wrap: anywhere; }
fieldset label { display: block; font-weight: 600; }
fieldset input[type=text], fieldset input[type=url], fieldset input[type=password], fieldset textarea { border: 1px solid #6b7d6e;
  border-radius: 4px; font: inherit; max-width: 100%; padding: 6px 8px; }
.hint { color: #4a5a4d; }
span.required, strong.required { color: #8a1414; }
footer { color: #4a5a4d; font-size: 14px; padding: 0 20px 24px; text-align: center; }
@media (max-width: 640px) { .branch { margin-left: 0; } main { padding: 14px; } table { display: block; overflow-x: auto; } }
`;
