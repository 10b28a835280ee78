import { SETTABLE_FIELDS } from '@passport/contract';

export { COPY_FIELDS, FIELD_GROUPS, type CopyField, type FieldGroup } from '@passport/contract';

/** Fields that `copy.set` may fix beside those of the groups. */
export const SET_ONLY_FIELDS: readonly string[] = Object.keys(SETTABLE_FIELDS);
