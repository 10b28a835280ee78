import type { Double, StaffSession } from '../double.ts';
import { isFrom } from '../release.ts';

/** Where the staff pages are, as in Koha; those after them are this stand-in's own. */
export const paths = {
  home: '/cgi-bin/koha/mainpage.pl',
  circulation: '/cgi-bin/koha/circ/circulation.pl',
  returns: '/cgi-bin/koha/circ/returns.pl',
  members: '/cgi-bin/koha/members/member.pl',
  memberEntry: '/cgi-bin/koha/members/memberentry.pl',
  details: '/cgi-bin/koha/members/moremember.pl',
  selfCheck: '/cgi-bin/koha/sco/sco-main.pl',
  branch: '/cgi-bin/koha/circ/set-library.pl',
  plugins: '/cgi-bin/koha/plugins/plugins-home.pl',
  runPlugin: '/cgi-bin/koha/plugins/run.pl',
  style: '/intranet-tmpl/double.css',
  headerSearch: '/intranet-tmpl/header-search.js',
  memberSearch: '/intranet-tmpl/member-search.js',
  checkout: '/intranet-tmpl/checkout.js',
  autocomplete: '/intranet-tmpl/autocomplete.js',
  kpz: '/downloads/plugin.kpz',
} as const;

/** A request for a staff page: who is there, what was sent. */
export interface PageRequest {
  readonly double: Double;
  readonly session: StaffSession;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Query of a GET, form of a POST. */
  readonly fields: URLSearchParams;
  /** Of the page's own texts' language attribute, as Koha's cookie says. */
  readonly language: string;
  /** The query of a GET or the form of a POST, as it came. */
  readonly form: string;
  /** Whether a page of another site has opened it (`Sec-Fetch-Site`): for the plugin it is no scan then. */
  readonly isFromElsewhere: boolean;
  /** Of the answer's content security policy. */
  readonly nonce: string;
}

/** What a page answers: itself, or where to go. */
export type PageAnswer =
  | { readonly kind: 'page'; readonly status: number; readonly page: Page }
  /** A whole document, of the plugin's own making. */
  | { readonly kind: 'document'; readonly html: string }
  | { readonly kind: 'redirect'; readonly to: string };

export interface Page {
  readonly title: string;
  /** Koha's id of the body element, which scripts go by, and its class. */
  readonly body: readonly [id: string, className: string];
  readonly main: Html;
  readonly aside?: Html;
  /** Whether the header has Koha's search, with the checkout box under a tab. */
  readonly hasHeaderSearch?: boolean;
  /** Whether it has the checkout box elsewhere. */
  readonly hasCheckoutBox?: boolean;
  /** Scripts of the page itself, by address. */
  readonly scripts?: readonly string[];
}

export interface StaffPage {
  readonly paths: readonly string[];
  answer(request: PageRequest): PageAnswer | Promise<PageAnswer>;
}

export const redirect = (to: string): PageAnswer => ({ kind: 'redirect', to });
export const show = (page: Page, status = 200): PageAnswer => ({ kind: 'page', status, page });

/** Markup that is safe to put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | false | null | undefined | readonly Part[];

/** Builds markup: whatever is put in is escaped, unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings.map((text, index) => text + (index < parts.length ? render(parts[index]) : '')).join(''),
  );
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => escapes[character] ?? '');
}

/** What every form that changes something sends: the session's token, Koha's operation, and more. */
export const hiddenFields = (
  { session }: Pick<PageRequest, 'session'>,
  op: string,
  more: Readonly<Record<string, string | number>> = {},
): Html =>
  html`${Object.entries({ csrf_token: session.csrfToken, op, ...more }).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )}`;

/** How the checkout box is sent: by GET in 25.x, by POST in all older templates that were found; 24.05 and 24.11 are taken for the former. */
export const checkoutMethod = ({ double }: Pick<PageRequest, 'double'>): 'get' | 'post' =>
  isFrom(double.settings.release, '24.05') ? 'get' : 'post';

/** A form with one box, to scan into. */
export const scanForm = (form: {
  readonly id?: string;
  readonly method?: 'get' | 'post';
  readonly action: string;
  readonly box: string;
  readonly label: Html | string;
  readonly button: string;
  readonly hidden?: Html;
  /** Attributes of the box: without more it has the focus, and is not sent empty. */
  readonly is?: 'autofocus' | 'disabled';
}): Html =>
  html`<form
    ${form.id && html`id="${form.id}"`}
    method="${form.method ?? 'post'}"
    action="${form.action}"
    class="scan"
  >
    ${form.hidden}
    <label for="${form.box}">${form.label}</label>
    <div>
      <input
        id="${form.box}"
        name="${form.box}"
        type="text"
        autocomplete="off"
        ${form.is ?? 'autofocus required'}
      />
      <button type="submit">${form.button}</button>
    </div>
  </form>`;

/** A table's head. */
export const tableHead = (...columns: readonly string[]): Html =>
  html`<thead>
    <tr>
      ${columns.map((column) => html`<th scope="col">${column}</th>`)}
    </tr>
  </thead>`;
