import * as z from 'zod';
import { CARD_NUMBER_LIMIT } from './patron-fields.ts';

/** The card in Koha's answer to a write; null where the answer does not show it, or shows what no card can be. */
export const storedCardSchema = z
  .string()
  .max(2 * CARD_NUMBER_LIMIT.characters)
  .nullable()
  .catch(null);
