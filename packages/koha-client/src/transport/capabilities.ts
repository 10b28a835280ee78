/**
 * What one Koha can do, read from its own description and not guessed from a version number. Nothing else of the description is kept:
 * it is megabytes, and there are many Kohas.
 */
export interface Capabilities {
  /** `POST /checkouts` takes a barcode (24.11 on). */
  readonly externalIdCheckout: boolean;
  /** `POST /patrons` has a header against the welcome mail. */
  readonly welcomeNo: boolean;
  /** `POST /patrons` has a header against the mail to the library's staff (26.05 on). */
  readonly opacRegNo: boolean;
  /** `POST /patrons` can confirm that a possible duplicate is somebody else (25.11 on). */
  readonly confirmNotDuplicate: boolean;
  /** The Patron Passport plugin's routes are served. */
  readonly pluginRoutes: boolean;
  /** `GET /checkouts/availability` is there (23.11 on): the oldest release this client is made for. */
  readonly checkoutAvailability: boolean;
  readonly patronCategories: boolean;
  readonly circulationRules: boolean;
  /** `PUT /circulation_rules` is there (25.05 on). */
  readonly setsCirculationRules: boolean;
  /** Every property the description has for a patron sent to `POST /patrons`. */
  readonly patronProperties: ReadonlySet<string>;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** More than any Koha has, of parameters of one route and of properties of one object. */
const MAX_PARAMETERS = 200;
const MAX_PROPERTIES = 500;

/** How many references may lead to one another before the description counts as broken. */
const MAX_REFERENCES = 20;
/** The longest reference that is followed. */
const MAX_REFERENCE = 500;

/**
 * Reads a Koha's API description (Swagger 2.0, `GET /api/v1/`). Null when it is no description of Koha's: without patrons
 * and checkouts there is nothing to be said about it. References are followed, since servers bundle them differently.
 */
export function parseDescription(json: unknown): Capabilities | null {
  const paths = objectOf(objectOf(json)['paths']);
  const follow = (node: unknown): JsonObject => resolve(json, node);
  const parameters = (method: string, path: string): JsonObject[] => {
    const list = follow(objectOf(ownOf(paths, path))[method])['parameters'];
    return Array.isArray(list) ? list.slice(0, MAX_PARAMETERS).map(follow) : [];
  };
  const bodyProperties = (method: string, path: string): ReadonlySet<string> => {
    const body = parameters(method, path).find((parameter) => parameter['in'] === 'body');
    return propertyNames(follow(follow(body?.['schema'])['properties']));
  };
  const createPatron = parameters('post', '/patrons');
  const patronProperties = bodyProperties('post', '/patrons');
  if (patronProperties.size === 0) return null;
  const overrides = enumOf(
    objectOf(createPatron.find((parameter) => parameter['name'] === 'x-koha-override')?.['items']),
  );

  return {
    externalIdCheckout: bodyProperties('post', '/checkouts').has('external_id'),
    welcomeNo: overrides.includes('welcome_no'),
    opacRegNo: overrides.includes('opac_reg_no'),
    confirmNotDuplicate: createPatron.some(({ name }) => name === 'x-confirm-not-duplicate'),
    pluginRoutes: Object.keys(paths).some((path) => path.startsWith('/contrib/passport/')),
    checkoutAvailability: Object.hasOwn(paths, '/checkouts/availability'),
    patronCategories: Object.hasOwn(paths, '/patron_categories'),
    circulationRules: Object.hasOwn(paths, '/circulation_rules'),
    setsCirculationRules: Object.hasOwn(objectOf(ownOf(paths, '/circulation_rules')), 'put'),
    patronProperties,
  };
}

/** Names that Koha's columns can have; whatever else an object calls its keys is no property of a patron. */
function propertyNames(properties: JsonObject): ReadonlySet<string> {
  const names = Object.keys(properties).filter((name) => /^[a-z][a-z0-9_]{0,63}$/.test(name));
  return new Set(names.slice(0, MAX_PROPERTIES));
}

function enumOf(items: JsonObject): readonly unknown[] {
  return Array.isArray(items['enum']) ? items['enum'].slice(0, MAX_PARAMETERS) : [];
}

function isObject(node: unknown): node is JsonObject {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function objectOf(node: unknown): JsonObject {
  return isObject(node) ? node : {};
}

function ownOf(node: unknown, key: string): unknown {
  return isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
}

/** The object a node stands for: itself, or what its `$ref` leads to inside the same document; `{}` when it is nothing. */
function resolve(root: unknown, node: unknown): JsonObject {
  let current = objectOf(node);
  for (let steps = 0; typeof current['$ref'] === 'string' && steps < MAX_REFERENCES; steps += 1) {
    let target: unknown = root;
    for (const part of current['$ref'].slice(0, MAX_REFERENCE).replace(/^#\//, '').split('/')) {
      target = ownOf(target, part.replaceAll('~1', '/').replaceAll('~0', '~'));
    }
    current = objectOf(target);
  }
  return current;
}
