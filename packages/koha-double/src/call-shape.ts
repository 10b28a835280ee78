import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from './double.ts';

/** What the service's client sends, by its name for itself; pages, the plugin and tests send other requests. */
const CLIENT = 'patron-passport';

/** Query parameters whose values say how a list is read; all other values are data. */
const SPOKEN = new Set(['_per_page', '_order_by', '_match', 'effective']);
const HEADERS = ['x-koha-embed', 'x-koha-override', 'x-koha-library', 'x-confirm-not-duplicate'];

/**
 * What a request looks like without its data: the call, and its parts as words, sorted. `?` is a query parameter, `@` a header,
 * and the others are keys of the body.
 */
interface CallShape {
  readonly call: string;
  readonly parts: readonly string[];
}

/** The shape of a request. */
function callShape({ method, path, query, requestHeaders, requestBody }: Exchange): CallShape {
  const parameters = [...new URLSearchParams(query)].map(([name, value]) =>
    name === 'q' ? `?q=${filterShape(value)}` : `?${name}=${SPOKEN.has(name) ? value : '*'}`,
  );
  const headers = HEADERS.filter((name) => requestHeaders[name] !== undefined).map((name) =>
    name === 'x-koha-library' || name === 'x-confirm-not-duplicate'
      ? `@${name}`
      : `@${name}=${requestHeaders[name]}`,
  );
  return {
    call: `${method} ${path ?? '?'}`,
    parts: [...parameters, ...headers, ...bodyKeys(requestBody)].toSorted(),
  };
}

/** Creates a listener that adds each new shape of the client's requests to `shapes.jsonl` in a folder. For tests of the suite as a whole. */
export function recordCallShapes(folder: string): (exchange: Exchange) => void {
  const known = new Set<string>();
  mkdirSync(folder, { recursive: true });
  return (exchange) => {
    if (exchange.requestHeaders['user-agent'] !== CLIENT) return;
    const line = JSON.stringify(callShape(exchange));
    if (known.has(line)) return;
    known.add(line);
    appendFileSync(join(folder, 'shapes.jsonl'), `${line}\n`);
  };
}

function filterShape(text: string): string {
  const filter: unknown = JSON.parse(text);
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) return typeof filter;
  const conditions = Object.entries(filter).map(([name, value]: [string, unknown]) => {
    if (Array.isArray(value)) return `${name}[]`;
    const isComparison = typeof value === 'object' && value !== null;
    return isComparison ? `${name}${Object.keys(value).join('')}` : `${name}=`;
  });
  return `{${conditions.toSorted().join(',')}}`;
}

function bodyKeys(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const objects: unknown[] = Array.isArray(body) ? body : [body];
  const keys = objects.flatMap((object) =>
    typeof object === 'object' && object !== null ? Object.keys(object) : [],
  );
  return [...new Set(keys)].map((key) => (Array.isArray(body) ? `[].${key}` : key));
}
