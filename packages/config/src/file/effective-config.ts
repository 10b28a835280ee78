import { Document, isScalar, visit } from 'yaml';
import { agreementSchema } from '../agreements/agreements.ts';
import { type Consortium, endpointSchema, fileSchema, userSchema } from '../schema/consortium-schema.ts';
import { isSection, keysOf, metaOf, type Printable, type Section } from '../keys/key.ts';
import { librarySchema } from '../schema/library-schema.ts';
import { printSecret, Secret } from '../secrets/secret.ts';

/** A value that is in the model as in the file, but for secrets and patterns. */
function printValue(value: unknown): Printable {
  if (value instanceof Secret) return printSecret(value);
  if (value instanceof RegExp) return value.source;
  return Array.isArray(value) ? value.map(printValue) : (value as Printable);
}

/** A section as it would be written in the file, without the keys that it lacks. */
function printSection(section: Section, value: object): { readonly [key: string]: Printable } {
  const values: Readonly<Record<string, unknown>> = metaOf(section).parts?.(value) ?? { ...value };
  const printed = keysOf(section).flatMap(([key, name, schema]): [string, Printable][] => {
    const inner = values[key];
    const { fallback, print = printValue } = metaOf(schema);
    if (inner === undefined || (inner === null && fallback === undefined)) return [];
    return [[name, isSection(schema) ? printSection(schema, inner as object) : print(inner)]];
  });
  return Object.fromEntries(printed);
}

/**
 * The configuration as it holds after defaults, in the words of the file, with groups of fields and agreements written out and the
 * place of each secret instead of the secret.
 */
export function effectiveConfig(consortium: Consortium): { readonly [key: string]: Printable } {
  const { name, locate, retention, libraries, agreements, users, notify } = consortium;
  const isPublic = Object.values(consortium.public).some((address) => address !== null);
  const printAll = (section: Section, entries: readonly object[]): readonly Printable[] =>
    entries.map((entry) => printSection(section, entry));
  return {
    ...printSection(fileSchema, {
      name,
      locate,
      retention,
      ...(isPublic ? { public: consortium.public } : {}),
    }),
    libraries: printAll(librarySchema, libraries),
    agreements: printAll(agreementSchema, agreements.all()),
    ...(users.length === 0 ? {} : { users: printAll(userSchema, users) }),
    ...(notify.length === 0 ? {} : { notify: printAll(endpointSchema, notify) }),
  };
}

/** The same as YAML; lists of words stand on one line. */
export function renderEffectiveConfig(consortium: Consortium): string {
  const document = new Document(effectiveConfig(consortium), { aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.every(isScalar);
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
