import type { Double } from '../double.ts';
import type { Html } from './html.ts';
import type { StaffSession } from './staff-sessions.ts';

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
}

/** What a page answers: itself, or where to go. */
export type PageAnswer =
  | { readonly kind: 'page'; readonly status?: number; readonly page: Page }
  /** A whole document, of the plugin's own making. */
  | { readonly kind: 'document'; readonly html: string }
  | { readonly kind: 'redirect'; readonly to: string };

export interface Page {
  readonly title: string;
  /** Koha's id of the body element, which scripts go by. */
  readonly bodyId: string;
  readonly bodyClass: string;
  readonly main: Html;
  readonly aside?: Html;
  /** Whether the header has Koha's search, with the checkout box under a tab. */
  readonly hasHeaderSearch?: boolean;
  /** Scripts of the page itself, by address. */
  readonly scripts?: readonly string[];
}

export interface StaffPage {
  readonly paths: readonly string[];
  answer(request: PageRequest): PageAnswer | Promise<PageAnswer>;
}

export const redirect = (to: string): PageAnswer => ({ kind: 'redirect', to });
export const show = (page: Page, status = 200): PageAnswer => ({ kind: 'page', status, page });
