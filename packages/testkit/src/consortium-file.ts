/** One library of a consortium under test, as its configuration and its Koha need it. */
export interface ServedLibrary {
  readonly id: string;
  readonly name?: string;
  readonly kohaUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** `whsec_...`; null for a library that is a home library only. */
  readonly webhookSecret: string | null;
  /** Patterns of its card numbers; none: queried for every card. */
  readonly cards?: readonly string[];
  /** More keys of its entry in the configuration file, such as `{ eligibility: { max_debt: null } }`. */
  readonly entry?: Readonly<Record<string, unknown>>;
}

/** Other keys of the file, such as `agreements`, `locate`, `retention`, `defaults`. */
export type ConsortiumKeys = Readonly<Record<string, unknown>>;

const variable = (id: string, what: string): string => `${id.replaceAll('-', '_').toUpperCase()}_${what}`;

/**
 * The configuration file (docs/configuration.md) for `libraries`, as JSON, which is YAML too: copies get the category
 * PT, everybody has an agreement with everybody, and secrets are named, not written.
 */
export function buildConsortiumFile(libraries: readonly ServedLibrary[], keys: ConsortiumKeys = {}): string {
  const { defaults, ...others } = keys;
  return JSON.stringify(
    {
      consortium: 'Test Libraries',
      agreements: 'all',
      ...others,
      defaults: { copy: { category: 'PT' }, ...(defaults as object | undefined) },
      libraries: libraries.map(buildEntry),
    },
    null,
    2,
  );
}

function buildEntry({ id, name, kohaUrl, webhookSecret, cards, entry }: ServedLibrary): object {
  const { koha, ...others } = { koha: {}, ...entry };
  return {
    id,
    name: name ?? `${id} library`,
    koha: {
      url: kohaUrl,
      client_id: { env: variable(id, 'CLIENT_ID') },
      client_secret: { env: variable(id, 'CLIENT_SECRET') },
      ...koha,
    },
    ...(webhookSecret === null ? {} : { webhook_secrets: [{ env: variable(id, 'WEBHOOK_SECRET') }] }),
    ...(cards === undefined || cards.length === 0 ? {} : { cards }),
    ...others,
  };
}

/** The environment variables that the file names. */
export function consortiumSecrets(libraries: readonly ServedLibrary[]): Record<string, string> {
  return Object.fromEntries(
    libraries.flatMap(({ id, clientId, clientSecret, webhookSecret }): [string, string][] => [
      [variable(id, 'CLIENT_ID'), clientId],
      [variable(id, 'CLIENT_SECRET'), clientSecret],
      ...(webhookSecret === null
        ? []
        : [[variable(id, 'WEBHOOK_SECRET'), webhookSecret] as [string, string]]),
    ]),
  );
}
