import { crash, problem, type Answer } from '../answer.ts';
import { isFrom, type Release } from '../release.ts';
import type { AttributeFault } from './attribute-check.ts';

/** A refused attribute in the body of `/patrons`: always 400, with a code from 24.05 on. */
export function inlineAttributeAnswer(fault: AttributeFault, release: Release): Answer {
  if (fault.kind === 'unstorable') return crash();
  const code = isFrom(release, '24.05') ? { error_code: codes[fault.kind] } : {};
  return problem(400, message(fault), code);
}

/** The same fault on `/patrons/{patron_id}/extended_attributes`: 409 for what clashes, never a code. */
export function attributeRouteAnswer(fault: AttributeFault): Answer {
  if (fault.kind === 'unstorable') return crash();
  const isClash = fault.kind === 'not_unique' || fault.kind === 'not_repeatable';
  return problem(isClash ? 409 : 400, message(fault));
}

const codes = {
  unknown_type: 'invalid_attribute_type',
  not_repeatable: 'non_repeatable_attribute',
  not_unique: 'attribute_not_unique',
  mandatory_missing: 'missing_mandatory_attribute',
} as const;

function message(fault: Exclude<AttributeFault, { kind: 'unstorable' }>): string {
  switch (fault.kind) {
    case 'unknown_type':
      return `Tried to use an invalid attribute type. type=${fault.type}`;
    case 'not_repeatable':
      return `Tried to add more than one non-repeatable attributes. type=${fault.type} value=${fault.value}`;
    case 'not_unique':
      return `Your action breaks a unique constraint on the attribute. type=${fault.type} value=${fault.value}`;
    case 'mandatory_missing':
      return `Missing mandatory extended attribute (type=${fault.type})`;
    default:
      return fault satisfies never;
  }
}
