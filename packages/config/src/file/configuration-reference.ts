import { agreementSchema } from '../agreements/agreements.ts';
import { VARIABLES } from '../environment/environment-variables.ts';
import { endpointSchema, fileSchema, userSchema } from '../schema/consortium-schema.ts';
import { FIELD_GROUPS } from '../schema/field-groups.ts';
import { isSection, keysOf, metaOf, type Section } from '../schema/key.ts';
import { librarySchema } from '../schema/library-schema.ts';

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
    const fallback = meta.fallback === undefined ? (meta.note ?? '') : `\`${flow(meta.fallback)}\``;
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

const INTRODUCTION = `# Configuration

<!-- Generated from the schema by \`npm run docs -w @passport/config\`; a test fails when it is not current. -->

One YAML file describes the consortium, and environment variables describe the process. Start from
\`passport.example.yaml\` and \`.env.example\`, and check both with \`passport config check\`. If the
configuration is invalid, a process reports all problems with their location in the file, and exits with code 1 before it
opens any connection.

## Reload

\`passport config reload\` has every process take over a changed file, without a restart; SIGHUP does it for one process. The files of
secrets are read again, too, and so is what \`NAME_FILE\` of a variable names. The command checks the file for all
processes before it asks any of them, with the secrets of each, which it must therefore be able to read. A process that finds anything wrong reports it and keeps
the configuration that it has. Variables of the environment themselves, ports, addresses and \`REDIS_URL\` are read at the start only:
give secrets that are to be rotated without a restart as files.

A process reads the file that it sees. With the Debian package, these are copies that systemd makes at the start (\`LoadCredential=\`),
so every changed secret needs a restart ([install.md](install.md#start)): the files in \`/etc/patron-passport/secrets\` say of which unit, and
\`config reload\` prints how many secrets of each process are those of its start. With compose, the generated secrets (\`passport_key\`, the passwords of
\`DASHBOARD_USER\` and \`DASHBOARD_VIEWER_USER\`) are copies that \`deploy/docker/keys.mjs\` and \`docker compose up -d\` renew; reload after it
([install.md](install.md#rotate-the-secrets)). Those in \`deploy/etc/secrets\` are the files themselves.

## Secrets

The file never contains a secret, only a reference to it: \`{env: NAME}\` or \`{file: PATH}\`. For \`{env: NAME}\`, you can set
\`NAME_FILE\` to the path of a file instead, as is usual with Docker and systemd secrets. Paths are relative to the working
directory. Sample secrets from manuals are refused. Secrets are never printed: \`passport config check\` shows where each
comes from.

## Durations

A number and a unit: \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, such as \`90s\`, \`15m\` or \`400d\`.

## Card patterns

Patterns are JavaScript regular expressions with the \`u\` flag. A card has at most 32 characters. Patterns that
could backtrack for very long, such as \`^(\\d+)+$\`, are refused: begin with \`^\`, and give repetitions an upper bound.
`;

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

/** The reference page of file and environment, in Markdown, made from the schemas that check them. */
export function configurationReference(): string {
  return [
    INTRODUCTION.trimEnd(),
    ...chapter('The file', fileSchema),
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
