/** The lending libraries that somebody may see; `all` also has what belongs to no library. */
export type Scope = 'all' | readonly string[];

/** Whether somebody may see this library. */
export function sees({ libraries }: { readonly libraries: Scope }, library: string): boolean {
  return libraries === 'all' || libraries.includes(library);
}
