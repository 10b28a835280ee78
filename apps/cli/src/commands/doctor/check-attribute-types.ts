import type { PluginAbout } from '@passport/koha-client';
import { attempt } from '../../connect/koha-clients.ts';
import { categoriesOf } from './check-categories.ts';
import type { Examinee, Facts, Findings, FindingsOfCalls } from './examinee.ts';
import { type Finding, fault, unchecked, warning } from './finding.ts';

const page = 'Administration → Patron attribute types →';

type AttributeType = PluginAbout['attribute_types'][number];

/** A type that marks a copy. */
interface OurType {
  readonly code: string;
  readonly unique: boolean;
}

/** A code that the column of 23.11 and 24.05 cannot hold. */
const LONGEST_OLD_CODE = 10;

function missing({ code, unique }: OurType, { capabilities }: Facts): Finding {
  const problem = `Koha has no patron attribute type ${code}`;
  // Circulation rules came with 24.11, and so did longer codes.
  if (!capabilities.circulationRules && code.length > LONGEST_OLD_CODE) {
    const why = `${problem}, and codes of this release have at most ${LONGEST_OLD_CODE} characters`;
    const remedy =
      'set copy.home_key_attribute: PASSPORTID for this library, the code that the plugin uses on this release';
    return fault('attribute_type_missing', why, remedy, code);
  }
  const remedy = `${page} New patron attribute type: code ${code}, unique identifier ${unique ? 'checked' : 'not checked'}; the plugin creates it when it is installed`;
  return fault('attribute_type_missing', problem, remedy, code);
}

function* checkFlags(type: AttributeType, unique: boolean): Findings {
  const { code, unique_id: isUnique, opac_display: shown, opac_editable: editable } = type;
  if (unique && !isUnique) {
    const problem = `the attribute type ${code} is not unique: two copies of one patron would not be noticed`;
    const remedy = `${page} New patron attribute type: unique identifier cannot be changed later, so delete ${code} while no patron has it, and create it again with "unique identifier" checked`;
    yield fault('attribute_type_not_unique', problem, remedy, code);
  }
  if (!unique && isUnique) {
    const problem = `the attribute type ${code} is unique: only one patron of each home library could be copied`;
    const remedy = `${page} create ${code} again without "unique identifier"`;
    yield fault('attribute_type_unique', problem, remedy, code);
  }
  const uncheck = (flag: string): string => `${page} ${code} → Edit → uncheck "${flag}"`;
  if (editable) {
    const problem = `patrons can change ${code} in the OPAC, and so impersonate somebody else's copy`;
    yield fault('attribute_type_in_opac', problem, uncheck('Editable in OPAC'), code);
  } else if (shown) {
    const problem = `${code} is displayed in the OPAC`;
    yield warning('attribute_type_in_opac', problem, uncheck('Display in OPAC'), code);
  }
}

/** By the plugin's own account. */
function* checkPluginTypes({ library: { copy } }: Examinee, about: PluginAbout, facts: Facts): Findings {
  const preference = 'ExtendedPatronAttributes';
  if (about.preferences[preference] === '0') {
    const problem = `patron attributes are disabled (${preference}): the desk does not see whose copy a patron is`;
    const remedy = `Administration → System preferences → ${preference}: Enable`;
    yield fault('extended_attributes_off', problem, remedy, preference);
  }
  const ours = ourTypes(copy);
  for (const our of ours) {
    const type = about.attribute_types.find((each) => each.code === our.code);
    if (type === undefined) yield missing(our, facts);
    else yield* checkFlags(type, our.unique);
  }
  // A type that every patron of a copy's category must have, and no copy can.
  const categories = categoriesOf(copy.category);
  for (const { code, mandatory, category_id: bound } of about.attribute_types) {
    const applies = bound === undefined || bound === null || categories.includes(bound);
    if (!mandatory || !applies || ours.some((our) => our.code === code)) continue;
    const problem = `every patron must have the attribute ${code}, which copies do not get`;
    const remedy = `${page} ${code} → Edit → uncheck "Mandatory", or limit it to the patron categories that need it`;
    yield fault('attribute_type_mandatory', problem, remedy, code);
  }
}

const ourTypes = ({ passportAttribute, homeKeyAttribute }: Examinee['library']['copy']): OurType[] => [
  { code: passportAttribute, unique: false },
  ...(homeKeyAttribute === null ? [] : [{ code: homeKeyAttribute, unique: true }]),
];

/**
 * Whether the attribute types that mark a copy are there and set up rightly; without the plugin's account by requests that Koha refuses
 * in every case, and whose refusal says whether it knows the type.
 */
export async function* checkAttributeTypes(examinee: Examinee, facts: Facts): FindingsOfCalls {
  const { koha, library } = examinee;
  if (facts.about !== null) return yield* checkPluginTypes(examinee, facts.about, facts);
  const patronId = facts.visible?.patronId ?? null;
  const ours = ourTypes(library.copy);
  for (const our of patronId === null ? [] : ours) {
    const exists = await attempt(koha.probeAttributeTypeByRefusal(patronId ?? 0, our.code));
    if ('value' in exists && exists.value === false) yield missing(our, facts);
  }
  const codes = ours.map(({ code }) => code).join(' and ');
  const problem = `whether ${codes} are unique, and whether other types are mandatory, only the plugin can report`;
  yield unchecked('attribute_type_not_unique', problem, `install the plugin, or check it yourself: ${page}`);
}
