import type { PluginAbout } from '@passport/koha-client';
import { categoriesOf } from './check-categories.ts';
import type { Examinee, Facts } from './examinee.ts';
import { type Finding, fault, unchecked, warning } from './finding.ts';
import { attempt } from './koha-failure.ts';

const page = 'Administration → Patron attribute types →';

type AttributeType = PluginAbout['attribute_types'][number];

/** A code that the column of 23.11 and 24.05 cannot hold. */
const LONGEST_OLD_CODE = 10;

function missing(type: string, unique: boolean, capabilities: Facts['capabilities']): Finding {
  // Circulation rules came with 24.11, and so did longer codes.
  if (!capabilities.circulationRules && type.length > LONGEST_OLD_CODE) {
    return fault(
      'attribute_type_missing',
      `Koha has no patron attribute type ${type}, and codes of this release have at most ${LONGEST_OLD_CODE} characters`,
      'set copy.home_key_attribute: PASSPORTID for this library, the code that the plugin uses on this release',
      type,
    );
  }
  return fault(
    'attribute_type_missing',
    `Koha has no patron attribute type ${type}`,
    `${page} New patron attribute type: code ${type}, unique identifier ${unique ? 'checked' : 'not checked'}; the plugin creates it when it is installed`,
    type,
  );
}

function checkFlags(type: AttributeType, unique: boolean): Finding[] {
  const { code, unique_id: isUnique, opac_display: shown, opac_editable: editable } = type;
  const findings: Finding[] = [];
  if (unique && !isUnique) {
    const problem = `the attribute type ${code} is not unique: two copies of one patron would not be noticed`;
    const remedy = `${page} New patron attribute type: unique identifier cannot be changed later, so delete ${code} while no patron has it, and create it again with "unique identifier" checked`;
    findings.push(fault('attribute_type_not_unique', problem, remedy, code));
  }
  if (!unique && isUnique) {
    const problem = `the attribute type ${code} is unique: only one patron of each home library could be copied`;
    findings.push(
      fault(
        'attribute_type_unique',
        problem,
        `${page} create ${code} again without "unique identifier"`,
        code,
      ),
    );
  }
  if (editable) {
    const problem = `patrons can change ${code} in the OPAC, and so impersonate somebody else's copy`;
    findings.push(
      fault('attribute_type_in_opac', problem, `${page} ${code} → Edit → uncheck "Editable in OPAC"`, code),
    );
  } else if (shown) {
    findings.push(
      warning(
        'attribute_type_in_opac',
        `${code} is displayed in the OPAC`,
        `${page} ${code} → Edit → uncheck "Display in OPAC"`,
        code,
      ),
    );
  }
  return findings;
}

/** A type that every patron of a copy's category must have, and no copy can. */
function checkMandatory(
  type: AttributeType,
  ours: readonly string[],
  categories: readonly string[],
): Finding[] {
  const { code, mandatory, category_id: bound } = type;
  const applies = bound === undefined || bound === null || categories.includes(bound);
  if (!mandatory || !applies || ours.includes(code)) return [];
  const problem = `every patron must have the attribute ${code}, which copies do not get`;
  const remedy = `${page} ${code} → Edit → uncheck "Mandatory", or limit it to the patron categories that need it`;
  return [fault('attribute_type_mandatory', problem, remedy, code)];
}

function checkPreference({ preferences }: PluginAbout): Finding[] {
  const name = 'ExtendedPatronAttributes';
  if (preferences[name] !== '0') return [];
  const problem = `patron attributes are disabled (${name}): the desk does not see whose copy a patron is`;
  return [
    fault('extended_attributes_off', problem, `Administration → System preferences → ${name}: Enable`, name),
  ];
}

/** By the plugin's own account. */
function checkPluginTypes(
  { library: { copy } }: Examinee,
  about: PluginAbout,
  capabilities: Facts['capabilities'],
): Finding[] {
  const { attribute_types: types } = about;
  const ours = [
    { code: copy.passportAttribute, unique: false },
    ...(copy.homeKeyAttribute === null ? [] : [{ code: copy.homeKeyAttribute, unique: true }]),
  ];
  const categories = categoriesOf(copy.category);
  return [
    ...checkPreference(about),
    ...ours.flatMap(({ code, unique }) => {
      const type = types.find((each) => each.code === code);
      return type === undefined ? [missing(code, unique, capabilities)] : checkFlags(type, unique);
    }),
    ...types.flatMap((type) =>
      checkMandatory(
        type,
        ours.map(({ code }) => code),
        categories,
      ),
    ),
  ];
}

/** By requests that Koha refuses in every case, and whose refusal says whether it knows the type. */
async function checkProbed(
  { koha, library: { copy } }: Examinee,
  { visible, capabilities }: Facts,
): Promise<Finding[]> {
  const patronId = visible?.patronId ?? null;
  const ours = [copy.passportAttribute, ...(copy.homeKeyAttribute === null ? [] : [copy.homeKeyAttribute])];
  const findings: Finding[] = [];
  for (const type of patronId === null ? [] : ours) {
    const exists = await attempt(koha.probeAttributeTypeByRefusal(patronId ?? 0, type));
    if ('value' in exists && exists.value === false)
      findings.push(missing(type, type === copy.homeKeyAttribute, capabilities));
  }
  const problem = `whether ${ours.join(' and ')} are unique, and whether other types are mandatory, only the plugin can report`;
  findings.push(
    unchecked('attribute_type_not_unique', problem, `install the plugin, or check it yourself: ${page}`),
  );
  return findings;
}

/** Whether the attribute types that mark a copy are there and set up rightly. */
export async function checkAttributeTypes(examinee: Examinee, facts: Facts): Promise<Finding[]> {
  return facts.about === null
    ? checkProbed(examinee, facts)
    : checkPluginTypes(examinee, facts.about, facts.capabilities);
}
