import { LineCounter, parseDocument, type Document, type ErrorCode } from 'yaml';
import { type Path, ProblemList } from '../problems/config-error.ts';

const BAD_ALIAS =
  'an alias has no anchor before it, or there are too many; text that begins with * needs quotes';
// The library's own messages quote the text of the file, which may hold a secret by mistake.
const FAULTS: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS,
  BAD_DQ_ESCAPE: 'a backslash in double quotes must be doubled (or use single quotes)',
  BAD_INDENT: 'the indentation is wrong',
  BAD_SCALAR_START: 'text begins with a reserved character and needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two keys stand on one line',
  DUPLICATE_KEY: 'a key stands there twice',
  MISSING_CHAR: 'a bracket, a quote or a comma is missing',
  MULTIPLE_DOCS: 'there is more than one document',
  TAB_AS_INDENT: 'a tab is used for indentation',
  TAG_RESOLVE_FAILED: 'a tag is not known',
};

const tabIn = (errors: Document['errors']): Document['errors'][number] | undefined =>
  errors.find(({ code }) => code === 'TAB_AS_INDENT');

const nodeRange = (node: unknown): number | null => {
  const range: unknown = typeof node === 'object' && node !== null && 'range' in node ? node.range : null;
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : null;
};

/** The line of the deepest place on `path` that stands in the file, from 1. */
function lineOf(document: Document, lines: LineCounter, path: Path): number | null {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const start = nodeRange(document.getIn(path.slice(0, depth), true));
    if (start !== null) return lines.linePos(start).line;
  }
  return null;
}

/**
 * Parses YAML 1.2 without tags of its own into plain values, and a list that knows the line of each place. Faults of the syntax stand
 * in it; where they leave no use in looking at the values, these are undefined.
 */
export function readYaml(text: string): { readonly raw: unknown; readonly problems: ProblemList } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = new ProblemList((path) => lineOf(document, lines, path));
  // What follows a tab, or another first fault of a line, is read wrongly for that alone.
  const [first] = document.errors;
  const isOnly = first !== undefined && first.code !== 'DUPLICATE_KEY';
  for (const { code, pos } of isOnly ? [tabIn(document.errors) ?? first] : document.errors) {
    const fault = FAULTS[code] ?? 'the text is not YAML';
    problems.add(
      [`line ${lines.linePos(pos[0]).line}`],
      fault,
      code === 'TAB_AS_INDENT' ? 'spaces' : 'YAML 1.2',
    );
  }
  // A key that stands there twice leaves the remaining file readable, and what else is wrong can be reported.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { raw: undefined, problems };
  try {
    return { raw: document.toJS(), problems };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    problems.add([], BAD_ALIAS, 'YAML 1.2');
    return { raw: undefined, problems };
  }
}
