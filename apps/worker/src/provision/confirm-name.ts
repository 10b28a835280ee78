import type { Progress } from '@passport/contract';
import type { KohaClient } from '@passport/koha-client';
import { isKohaFailure } from '../koha/koha-failure.ts';
import type { CopyOrder } from './copy-order.ts';
import type { Step } from './step.ts';

type Refusal = Pick<NonNullable<Progress['problem']>, 'what' | 'name'>;

/** How a Koha's own codes are listed; the names of all other refusals are ours, or of what was sent. */
const LISTED: Partial<Record<Refusal['what'], (koha: KohaClient) => Promise<readonly string[]>>> = {
  mandatory_attribute: async (koha) => (await koha.about()).attribute_types.map(({ code }) => code),
  branch: async (koha) => (await koha.branches()).map(({ branch }) => branch),
  category: () => Promise.resolve([]), // a copy has one that is configured
};

/**
 * A refusal of the lending Koha, with its name only where the configuration has that name or this Koha lists it as a code of its own.
 * Anything can stand in Koha's sentence, in a record that it shows, and in a scan that is sent to us; a name is shown to people at other
 * libraries. That is one more look there, after a refusal alone; where it fails, there is no name.
 */
export async function confirmName(
  lending: string,
  refusal: Refusal,
  configured: readonly string[],
  step: Pick<Step, 'call'>,
): Promise<Refusal> {
  const { what, name } = refusal;
  const list = LISTED[what];
  if (name === null || list === undefined || configured.includes(name)) return refusal;
  const listed = await step.call(lending, list).catch((error: unknown): readonly string[] => {
    if (isKohaFailure(error)) return [];
    throw error;
  });
  return { what, name: listed.some((code) => code === name) ? name : null };
}

/** The codes of a copy that the lending library has configured; the branch of a scan is none of them. */
export const configuredCodes = ({ body, branch, copyCategories }: CopyOrder): readonly string[] => [
  ...copyCategories,
  body.category_id,
  ...(body.library_id === branch ? [] : [body.library_id]),
];
