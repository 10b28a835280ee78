/** What an expression queries of one metric. */
export interface QueriedMetric {
  readonly name: string;
  /** Labels it is selected or grouped by. */
  readonly labels: readonly string[];
  /** Values that a label must have: of `=`, and of `=~` where it lists plain words. */
  readonly values: readonly (readonly [label: string, value: string])[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|[=!]~|[!=<>]=?|[{}(),]|[-+*/%^]|\s+|./g;
const GROUPING = /^(?:by|without|on|ignoring|group_left|group_right)$/;
const WORD_OPERATORS = /^(?:and|or|unless|bool|offset)$/;
const WORDS = /^\w+(?:\|\w+)*$/;

/**
 * The metrics that a PromQL expression names, with their labels. Labels that it groups by count for each of its
 * metrics. Not a parser: it takes expressions for granted that promtool accepts.
 */
export function readPromql(expression: string): readonly QueriedMetric[] {
  const tokens = (expression.match(TOKEN) ?? []).filter((token) => token.trim() !== '');
  const grouped: string[] = [];
  const queried: { name: string; selectors: readonly string[] }[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? '';
    const next = tokens[at + 1];
    if (!/^[a-zA-Z_:]/.test(token) || WORD_OPERATORS.test(token)) continue;
    if (GROUPING.test(token)) {
      const end = tokens.indexOf(')', at);
      grouped.push(...tokens.slice(at + 2, end).filter((label) => label !== ','));
      at = end;
    } else if (next !== '(' && !GROUPING.test(next ?? '')) {
      const end = next === '{' ? tokens.indexOf('}', at) : at;
      queried.push({ name: token, selectors: tokens.slice(at + 2, end) });
      at = end;
    }
  }
  return queried.map(({ name, selectors }) => ({ name, ...readSelectors(selectors, grouped) }));
}

function readSelectors(
  tokens: readonly string[],
  grouped: readonly string[],
): Pick<QueriedMetric, 'labels' | 'values'> {
  const labels = new Set(grouped);
  const values: [string, string][] = [];
  for (let at = 0; at < tokens.length; at += 4) {
    const [label = '', operator = '', quoted = ''] = tokens.slice(at, at + 3);
    labels.add(label);
    const text = quoted.slice(1, -1);
    if (operator === '=') values.push([label, text]);
    if (operator === '=~' && WORDS.test(text)) {
      values.push(...text.split('|').map((word): [string, string] => [label, word]));
    }
  }
  return { labels: [...labels], values };
}
