import type { LibraryEntry } from '@passport/config';
import type { JoinRequest, JoinSecrets } from '@passport/contract';
import type { FileChange } from '../../../connect/change-files.ts';

/** How an installation keeps secrets of libraries (docs/install.md): a file for each, or lines of one file for each kind. */
export type SecretStore =
  | { readonly kind: 'files'; readonly folder: string }
  | { readonly kind: 'lines'; readonly folder: string; readonly koha: string; readonly webhook: string };

type Place = { readonly file: string } | { readonly env: string };

/** What a library that joins changes: its entry, and where its secrets are. */
export interface LibraryPlan {
  readonly entry: LibraryEntry;
  readonly files: readonly FileChange[];
  /** The variables that processes have from the next start on. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * The entry of a library that joins, and its secrets. It observes: nothing is copied there before an operator starts it.
 * `cardsSharedWith`: the members that say in the file already that it may have cards as theirs.
 */
export function planLibrary(
  { library: id, name }: { readonly library: string; readonly name: string },
  cardsSharedWith: readonly string[],
  { koha, copy, cards }: Pick<JoinRequest, 'koha' | 'copy' | 'cards'>,
  { clientId, clientSecret, webhookSecret }: JoinSecrets,
  store: SecretStore,
): LibraryPlan {
  const secrets = [
    { kind: 'koha', file: `${id}_client_id`, value: clientId },
    { kind: 'koha', file: `${id}_client_secret`, value: clientSecret },
    ...(webhookSecret === null ? [] : [{ kind: 'webhook', file: id, value: webhookSecret } as const]),
  ] as const;
  const placeOf = ({ kind, file }: (typeof secrets)[number]): Place =>
    store.kind === 'files'
      ? { file: `${store.folder}/${kind}/${file}` }
      : { env: variableOf(kind === 'webhook' ? `${id}_webhook_secret` : file) };
  const [clientIdAt, clientSecretAt, webhookAt] = secrets.map(placeOf);
  const { protocol, hostname } = new URL(koha.url);
  // The name of a container; loopback needs no leave.
  const allowsHttp = protocol === 'http:' && !hostname.includes('.') && hostname !== 'localhost';
  const entry = {
    id,
    name,
    koha: {
      url: koha.url,
      ...(allowsHttp ? { allow_http: true } : {}),
      client_id: clientIdAt,
      client_secret: clientSecretAt,
    },
    ...(webhookAt === undefined ? {} : { webhook_secrets: [webhookAt] }),
    ...(cards.length === 0 ? {} : { cards }),
    ...(cardsSharedWith.length === 0 ? {} : { cards_shared_with: cardsSharedWith }),
    copy: { mode: 'observe', ...copy },
  };
  if (store.kind === 'files') {
    const files = secrets.map((secret) => ({
      path: `${store.folder}/${secret.kind}/${secret.file}`,
      before: null,
      after: `${secret.value}\n`,
    }));
    return { entry, files, variables: {} };
  }
  const lines = (['koha', 'webhook'] as const).flatMap((kind) => {
    const own = secrets.filter((secret) => secret.kind === kind);
    const before = store[kind];
    const text = own.map((secret) => `${nameAt(placeOf(secret))}=${secret.value}\n`).join('');
    const after = `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${text}`;
    return own.length === 0 ? [] : [{ path: `${store.folder}/${kind}.env`, before, after }];
  });
  const variables = Object.fromEntries(secrets.map((secret) => [nameAt(placeOf(secret)), secret.value]));
  return { entry, files: lines, variables };
}

const variableOf = (name: string): string =>
  name
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^(?=\d)/, '_');
const nameAt = (place: Place): string => ('env' in place ? place.env : '');
