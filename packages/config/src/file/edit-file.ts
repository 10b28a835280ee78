import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isScalar, isSeq, parseDocument, stringify } from 'yaml';

/** An entry of `libraries` as it is written. */
export type LibraryEntry = { readonly id: string; readonly [key: string]: unknown };

const OPTIONS = { lineWidth: 0, aliasDuplicateObjects: false } as const;

/** The place right behind the line that `offset` stands in. */
function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** The text with an entry behind the last one of a list in block style; null where it is in another style. */
function spliced(text: string, document: Document, entry: LibraryEntry): string | null {
  const list = document.get('libraries', true);
  if (!isSeq(list) || list.flow === true || list.items.length === 0) return null;
  const last: unknown = list.items.at(-1);
  const start = list.range?.[0];
  const end = isMap(last) ? last.range?.[1] : undefined;
  if (start === undefined || end === undefined || end === 0) return null;
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const place = lineEnd(text, end - 1);
  const [before, after] = [text.slice(0, place), text.slice(place)];
  const lines = stringify([entry], OPTIONS).replaceAll(/^(?=.)/gm, ' '.repeat(column));
  return `${before}${before.endsWith('\n') ? '' : '\n'}\n${lines}${after}`;
}

/**
 * The text of a file with one library more, behind the others; each byte of what was there stays where the list is in block style, and comments and
 * order stay in any. Null: the text is not one that this can be done to. Whether the file is right then, `parseConsortium` says.
 */
export function addLibrary(text: string, entry: LibraryEntry): string | null {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return null;
  const before = document.toJS() as Readonly<Record<string, unknown>>;
  const known: unknown = before['libraries'] ?? [];
  if (!Array.isArray(known)) return null;
  const others: readonly unknown[] = known;
  const wanted = { ...before, libraries: [...others, entry] };
  const isWanted = (edited: string | null): edited is string => {
    const read = parseDocument(edited ?? '');
    return read.errors.length === 0 && isDeepStrictEqual(read.toJS(), wanted);
  };
  const byText = spliced(text, document, entry);
  if (isWanted(byText)) return byText;
  if (isSeq(document.get('libraries'))) document.addIn(['libraries'], document.createNode(entry));
  else {
    const empty = document.get('libraries', true);
    const list = document.createNode([entry]);
    if (isScalar(empty)) list.commentBefore = empty.comment ?? empty.commentBefore ?? null;
    document.set('libraries', list);
  }
  const byDocument = document.toString(OPTIONS);
  return isWanted(byDocument) ? byDocument : null;
}

/**
 * The text of a file in which a library makes copies from now on: `copy.mode: observe` of its own entry becomes `copy`, and nothing else changes. Null: it
 * does not stand there.
 */
export function startLibrary(text: string, id: string): string | null {
  const document = parseDocument(text);
  const list = document.get('libraries');
  if (document.errors.length > 0 || !isSeq(list)) return null;
  const place = list.items.findIndex((entry) => isMap(entry) && entry.get('id') === id);
  const mode: unknown = document.getIn(['libraries', place, 'copy', 'mode'], true);
  if (place === -1 || !isScalar(mode) || mode.value !== 'observe') return null;
  const [start, end] = mode.range ?? [];
  if (start === undefined || end === undefined) return null;
  const edited = `${text.slice(0, start)}copy${text.slice(end)}`;
  const before = document.toJS() as { readonly libraries: readonly { readonly copy: object }[] };
  const libraries = before.libraries.map((each, at) =>
    at === place ? { ...each, copy: { ...each.copy, mode: 'copy' } } : each,
  );
  // What has an anchor may stand at other places as well.
  const read = parseDocument(edited);
  const isAlone = read.errors.length === 0 && isDeepStrictEqual(read.toJS(), { ...before, libraries });
  return isAlone ? edited : null;
}

/** An entry as it would stand in a file. */
export const renderLibrary = (entry: LibraryEntry): string => stringify([entry], OPTIONS);
