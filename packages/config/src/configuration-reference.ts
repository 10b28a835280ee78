import { agreementSchema } from './agreements/agreements.ts';
import { VARIABLES } from './environment/environment-variables.ts';
import { endpointSchema, fileSchema, userSchema } from './schema/consortium-schema.ts';
import { FIELD_GROUPS } from '@passport/contract';
import { isSection, keysOf, metaOf, type Section } from './keys/key.ts';
import { librarySchema } from './schema/library-schema.ts';

/** A Markdown table as prettier writes it, so that the generated page is left alone by it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  const [first = [], ...others] = cells;
  return [line(first), line(rule), ...others.map(line)].join('\n');
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  return typeof value === 'object' && value !== null ? '{}' : String(value);
}

/** A section with every key of it, and the sections within it after it. */
function chapter(title: string, section: Section): readonly string[] {
  const { description, more } = metaOf(section);
  const rows = keysOf(section).map(([, name, schema]) => {
    const meta = metaOf(schema);
    const note = meta.note ?? (meta.isRequired === true ? 'required' : '');
    const fallback = meta.fallback === undefined ? note : `\`${flow(meta.fallback)}\``;
    return [`\`${name}\``, meta.description, meta.allowed, fallback];
  });
  return [
    `## ${title}`,
    more === undefined ? description : `${description} ${more}`,
    table(['key', 'what it does', 'takes', 'default'], rows),
    ...keysOf(section).flatMap(([, name, schema]) =>
      isSection(schema) ? chapter(`\`${name}\``, schema) : [],
    ),
  ];
}

function groupTable(): string {
  const rows = Object.entries(FIELD_GROUPS).map(([group, fields]) => [
    `\`${group}\``,
    fields.map((field) => `\`${field}\``).join(' '),
  ]);
  return table(['group', "fields, in Koha's names"], rows);
}

function environmentTable(): string {
  const rows = Object.values(VARIABLES).map(({ name, description, allowed, fallback, readBy }) => [
    `\`${name}\``,
    readBy.join(', '),
    description,
    allowed,
    fallback === null ? '' : `\`${fallback}\``,
  ]);
  return table(['variable', 'read by', 'what it does', 'takes', 'default'], rows);
}

const FIRST = 'The file';

/**
 * The reference page of file and environment, in Markdown: `page` as it is, with what stands from the first table on made anew from the
 * schemas that check file and environment.
 */
export function configurationReference(page: string): string {
  const [introduction = ''] = page.split(`\n## ${FIRST}\n`);
  return [
    introduction.trimEnd(),
    ...chapter(FIRST, fileSchema),
    ...chapter('A library', librarySchema),
    ...chapter('An agreement', agreementSchema),
    ...chapter('A user', userSchema),
    ...chapter('A notified endpoint', endpointSchema),
    '## Field groups',
    'All fields that can be copied. A copy contains those that `share`, the agreement and `copy.fields` all allow.',
    groupTable(),
    '## Environment',
    'Each variable can also be set as `NAME_FILE`, the path of a file that contains the value. An empty variable counts as not set.',
    `${environmentTable()}\n`,
  ].join('\n\n');
}
