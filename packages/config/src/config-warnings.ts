import type { Consortium, Library } from './model.ts';
import { formatPath } from './problem-list.ts';

/** Something that is allowed and probably not meant. */
export interface ConfigWarning {
  readonly path: string;
  readonly warning: string;
}

const isLending = ({ id }: Library, { agreements }: Consortium) =>
  agreements.some(({ lending }) => lending === id);

function warningsOfLibrary(library: Library, consortium: Consortium): [string[], string][] {
  const { copy, cards, webhookSecrets, enabled } = library;
  const warnings: [string[], string][] = [];
  if (!enabled) warnings.push([['enabled'], 'the library is paused: neither asked nor served']);
  if (
    isLending(library, consortium) &&
    copy.onLookAlike === 'stop' &&
    !copy.fields.includes('date_of_birth')
  ) {
    const why = 'date_of_birth is not copied while look-alikes stop: every namesake may count as one';
    warnings.push([['copy', 'fields'], why]);
  }
  if (isLending(library, consortium) && copy.homeKeyAttribute === null) {
    warnings.push([
      ['copy', 'home_key_attribute'],
      'is null: a patron with a replaced card gets a second copy',
    ]);
  }
  if (enabled && webhookSecrets.length > 0 && !isLending(library, consortium)) {
    warnings.push([['webhook_secrets'], 'no agreement lets this library lend to anybody']);
  }
  if (cards.some(({ source }) => !source.startsWith('^') || !source.endsWith('$'))) {
    warnings.push([['cards'], 'a pattern without ^ and $ also fits longer texts']);
  }
  return warnings;
}

/** Two libraries that sign with one secret can sign as each other. */
function sharedSecrets({ libraries }: Consortium): ConfigWarning[] {
  const owners = new Map<string, string>();
  return libraries.flatMap(({ id, webhookSecrets }, place) =>
    webhookSecrets.flatMap((secret, number) => {
      const owner = owners.get(secret.reveal());
      owners.set(secret.reveal(), owner ?? id);
      if (owner === undefined || owner === id) return [];
      const path = formatPath(['libraries', place, 'webhook_secrets', number]);
      return [{ path, warning: `${id} and ${owner} have the same secret: each can sign as the other` }];
    }),
  );
}

/** What a careful reader would ask about a configuration that is valid. */
export function configWarnings(consortium: Consortium): readonly ConfigWarning[] {
  return [
    ...consortium.libraries.flatMap((library, place) =>
      warningsOfLibrary(library, consortium).map(([path, warning]) => ({
        path: formatPath(['libraries', place, ...path]),
        warning,
      })),
    ),
    ...sharedSecrets(consortium),
  ];
}
