import type { ApiCall } from '../api/operation.ts';

/** `size` -1: all rows. */
export interface Page {
  readonly number: number;
  readonly size: number;
}

export function parsePage(query: Readonly<Record<string, unknown>>, defaultSize: string): Page {
  const number = query['_page'];
  const size = query['_per_page'];
  return {
    number: typeof number === 'number' && number > 0 ? number : 1,
    size: typeof size === 'number' ? size : Number(defaultSize) || 20,
  };
}

/** `X-Total-Count` after filtering, `X-Base-Total-Count` before, and `Link` to the other pages. */
export function pageHeaders(
  call: ApiCall,
  page: Page,
  total: number,
  base: number,
): Readonly<Record<string, string>> {
  const pages = page.size === -1 ? 1 : Math.max(1, Math.ceil(total / page.size));
  const link = (rel: string, number: number): string => `<${pageUrl(call, page, number)}>; rel="${rel}"`;
  const links = [
    ...(page.number > 1 ? [link('prev', page.number - 1)] : []),
    ...(page.number < pages ? [link('next', page.number + 1)] : []),
    link('first', 1),
    link('last', pages),
  ];
  return {
    'X-Total-Count': String(total),
    'X-Base-Total-Count': String(base),
    Link: links.join(','),
  };
}

function pageUrl(call: ApiCall, page: Page, number: number): string {
  const search = new URLSearchParams(call.search);
  search.set('_page', String(number));
  search.set('_per_page', String(page.size));
  return `${call.url}?${search.toString()}`;
}
