export { ConfigError } from './config-error.ts';
export type { ConfigProblem } from './config-error.ts';
export { COPY_FIELDS, FIELD_GROUPS, SET_ONLY_FIELDS } from './field-groups.ts';
export type { CopyField, FieldGroup } from './field-groups.ts';
export type * from './model.ts';
export { Secret } from './secret.ts';
