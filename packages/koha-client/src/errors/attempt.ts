import { KohaError } from './koha-error.ts';

/** Runs a call; a failure of Koha's becomes a value. Bugs throw. */
export async function attempt<T>(work: Promise<T>): Promise<{ value: T } | { error: KohaError }> {
  try {
    return { value: await work };
  } catch (error) {
    if (error instanceof KohaError) return { error };
    throw error;
  }
}
