import type { Library } from '@passport/config';
import type { AnswerShape } from '@passport/koha-client';
import { attempt, type OpenKoha, openKoha } from '../../connect/koha-clients.ts';
import { type CliDeps, Failure } from '../../program/index.ts';

/** The category that marks a Koha for rehearsals, and whoever is made in one. No Koha in service has it. */
export const MARK = 'REHEARSAL';

/** What a library is in a rehearsal. */
export type Side = 'lending' | 'home' | 'second_home';

/** One Koha of a rehearsal. */
export interface Site {
  readonly side: Side;
  readonly library: Library;
  readonly koha: OpenKoha;
  /** Where things are made, and which branch acts. */
  readonly branch: string;
  /** By its plugin, such as `24.11.05.000`; null where it does not say. */
  readonly kohaVersion: string | null;
  readonly pluginVersion: string | null;
  /** How many patrons the API user sees: a person notices a Koha in service by it. */
  readonly patrons: number | null;
}

/** An answer that a Koha gave, and how long it took. */
export interface SeenAnswer extends AnswerShape {
  readonly side: Side;
}

/** The answers of what every client does by itself say nothing of a scenario. */
const BY_ITSELF = new Set(['GET /', 'POST /oauth/token']);

/** Whether a Koha has the marked category; null where its release has no route for that. Throws Failure where it does not say. */
async function isMarked(koha: OpenKoha): Promise<boolean | null> {
  const abilities = await attempt(koha.capabilities());
  if ('value' in abilities && !abilities.value.patronCategories) return null;
  const listed = await attempt(koha.categories());
  if ('error' in listed) throw new Failure(listed.error.message, { code: listed.error.code });
  return listed.value.some(({ category }) => category === MARK);
}

/**
 * Opens one Koha for a rehearsal; what it answers goes to `onAnswer`. Throws Failure where it is not marked as one to rehearse at. A
 * Koha that shows no categories (23.11) is opened: it refuses the first patron where it has no such category.
 */
export async function openSite(
  { library, side }: Pick<Site, 'library' | 'side'>,
  {
    wantedBranch,
    onAnswer,
    onCall,
  }: {
    readonly wantedBranch: string | null;
    readonly onAnswer: (answer: SeenAnswer) => void;
    readonly onCall: (ms: number) => void;
  },
  deps: CliDeps,
): Promise<Site> {
  const koha = openKoha(library, deps, {
    onShape: (shape) => {
      if (!BY_ITSELF.has(shape.operation)) onAnswer({ ...shape, side });
    },
    onCall: ({ ms }) => onCall(ms),
  });
  try {
    const branches = await attempt(koha.branches());
    const codes = 'value' in branches ? branches.value.map(({ branch }) => branch) : [];
    if ('error' in branches) throw new Failure(branches.error.message, { code: branches.error.code });
    const fixed = library.copy.branch.kind === 'fixed' ? library.copy.branch.branch : null;
    const branch = wantedBranch ?? fixed ?? codes[0] ?? 'MAIN';
    if ((await isMarked(koha)) === false)
      throw new Failure(
        `${library.id} has no patron category ${MARK}: it is not marked as a Koha to rehearse at, and nothing was made there`,
        { code: 'not_marked', library: library.id },
      );
    const [abilities, visible] = await Promise.all([
      attempt(koha.capabilities()),
      attempt(koha.visiblePatrons()),
    ]);
    const hasPlugin = 'value' in abilities && abilities.value.pluginRoutes;
    const about = hasPlugin ? await attempt(koha.about()) : null;
    const told = about !== null && 'value' in about ? about.value : null;
    return {
      side,
      library,
      koha,
      branch,
      kohaVersion: told?.koha_version ?? null,
      pluginVersion: told?.version ?? null,
      patrons: 'value' in visible ? visible.value.total : null,
    };
  } catch (error) {
    koha.close();
    throw error;
  }
}
