import type { Examinee } from './examinee.ts';
import type { Examination } from './examine-library.ts';
import { type Finding, fault } from './finding.ts';
import { attempt } from './koha-failure.ts';

export interface Examined {
  readonly examinee: Examinee;
  readonly examination: Examination;
}

const branchesOf = ({ examination }: Examined): string | null =>
  examination.branches === null ? null : examination.branches.toSorted().join('\n');

async function isSameKoha(one: Examined, other: Examined): Promise<boolean> {
  const clientId = one.examinee.library.koha.clientId.reveal();
  if (clientId === other.examinee.library.koha.clientId.reveal()) return true;
  // This costs a call at another library, so it is made only where the branches are the same.
  if (branchesOf(one) === null || branchesOf(one) !== branchesOf(other)) return false;
  const known = await attempt(other.examinee.koha.knowsApiKey(clientId));
  return 'value' in known && known.value === true;
}

/** Two entries that lead to one Koha by two addresses: every card there would be ambiguous. By the id of the later entry. */
export async function compareKohas(examined: readonly Examined[]): Promise<ReadonlyMap<string, Finding>> {
  const found = new Map<string, Finding>();
  for (const [place, other] of examined.entries()) {
    for (const one of examined.slice(0, place)) {
      const { library } = other.examinee;
      if (found.has(library.id) || !(await isSameKoha(one, other))) continue;
      const { id } = one.examinee.library;
      const remedy = `give ${library.id} the URL and the API key of its own Koha, or take it out of the configuration`;
      found.set(library.id, fault('same_koha', `this is the same Koha as ${id}`, remedy, id));
    }
  }
  return found;
}
