type Camel<Key extends string> = Key extends `${infer Word}_${infer More}`
  ? `${Word}${Capitalize<Camel<More>>}`
  : Key;

/** A section of the file as the program has it: its keys in camel case, its values as they are. */
export type CamelKeys<Section> = { readonly [Key in keyof Section & string as Camel<Key>]: Section[Key] };

/** `copies_per_hour` becomes `copiesPerHour`. */
export function camelKeys<Section extends { readonly [key: string]: unknown }>(
  section: Section,
): CamelKeys<Section> {
  const camel = (key: string): string => key.replace(/_[a-z]/g, (found) => found.slice(1).toUpperCase());
  const entries = Object.entries(section).map(([key, value]) => [camel(key), value]);
  return Object.fromEntries(entries) as CamelKeys<Section>;
}

/** `copiesPerHour` becomes `copies_per_hour`. */
export function snakeKeys<Value>(section: { readonly [key: string]: Value }): {
  readonly [key: string]: Value;
} {
  const snake = (key: string): string => key.replace(/[A-Z]/g, (found) => `_${found.toLowerCase()}`);
  return Object.fromEntries(Object.entries(section).map(([key, value]) => [snake(key), value]));
}
