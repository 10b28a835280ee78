import { z } from 'zod';

/** What one Koha can do, read from its own description and not guessed from a version number. */
export interface Capabilities {
  /** `POST /checkouts` takes a barcode (24.11 on). */
  readonly externalIdCheckout: boolean;
  /** `POST /patrons` can be told to send no welcome mail. */
  readonly welcomeNo: boolean;
  /** `POST /patrons` can be told that a look-alike is somebody else (25.11 on). */
  readonly confirmNotDuplicate: boolean;
  /** The Patron Passport plugin's routes are served. */
  readonly pluginRoutes: boolean;
  readonly patronCategories: boolean;
  readonly circulationRules: boolean;
  /** Every property the description has for a patron sent to `POST /patrons`. */
  readonly patronProperties: ReadonlySet<string>;
}

/** The permissions a route asks for by this Koha's own description, `null` when it has no such route or rule. */
export type PermissionOf = (method: string, path: string) => unknown;

/** A parsed description: what Koha can do, and what it asks for. */
export interface Description {
  readonly capabilities: Capabilities;
  readonly permissionOf: PermissionOf;
}

const objectSchema = z.record(z.string(), z.unknown());
const descriptionSchema = z.object({ paths: z.record(z.string(), objectSchema) });
const parametersSchema = z.array(objectSchema).catch([]);

/** How many references may lead to one another before the description counts as broken. */
const MAX_REFERENCES = 20;

/**
 * Reads a Koha's API description (Swagger 2.0, `GET /api/v1/`). Null when it is no description of Koha's: without patrons
 * and checkouts there is nothing to be said about it. References are followed, since servers bundle them differently.
 */
export function parseDescription(json: unknown): Description | null {
  const description = descriptionSchema.safeParse(json);
  if (!description.success) return null;
  const { paths } = description.data;
  const follow = (node: unknown): Record<string, unknown> => resolve(json, node);
  const parameters = (method: string, path: string): Record<string, unknown>[] =>
    parametersSchema.parse(follow(paths[path]?.[method])['parameters']).map(follow);
  const bodyProperties = (method: string, path: string): ReadonlySet<string> => {
    const body = parameters(method, path).find((parameter) => parameter['in'] === 'body');
    return new Set(Object.keys(follow(follow(body?.['schema'])['properties'])));
  };
  const createPatron = parameters('post', '/patrons');
  const patronProperties = bodyProperties('post', '/patrons');
  if (patronProperties.size === 0) return null;
  const override = createPatron.find((parameter) => parameter['name'] === 'x-koha-override');

  return {
    capabilities: {
      externalIdCheckout: bodyProperties('post', '/checkouts').has('external_id'),
      welcomeNo: enumOf(follow(override?.['items'])).includes('welcome_no'),
      confirmNotDuplicate: createPatron.some(({ name }) => name === 'x-confirm-not-duplicate'),
      pluginRoutes: Object.keys(paths).some((path) => path.startsWith('/contrib/passport/')),
      patronCategories: '/patron_categories' in paths,
      circulationRules: '/circulation_rules' in paths,
      patronProperties,
    },
    permissionOf: (method, path) =>
      follow(follow(paths[path]?.[method])['x-koha-authorization'])['permissions'] ?? null,
  };
}

function enumOf(items: Record<string, unknown>): readonly unknown[] {
  return Array.isArray(items['enum']) ? items['enum'] : [];
}

/** The object a node stands for: itself, or what its `$ref` leads to inside the same document; `{}` when it is nothing. */
function resolve(root: unknown, node: unknown): Record<string, unknown> {
  let current = objectSchema.safeParse(node).data ?? {};
  for (let steps = 0; typeof current['$ref'] === 'string' && steps < MAX_REFERENCES; steps += 1) {
    let target: unknown = root;
    for (const part of current['$ref'].replace(/^#\//, '').split('/')) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      target = objectSchema.safeParse(target).data?.[key];
    }
    current = objectSchema.safeParse(target).data ?? {};
  }
  return current;
}
