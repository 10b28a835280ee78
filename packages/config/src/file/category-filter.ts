import * as z from 'zod';
import { kohaCode } from './leaf-schemas.ts';

const categories = z.array(kohaCode(10));

/** Some patron categories of a Koha. */
export const categoryFilter = (description: string) =>
  z
    .union([z.literal('all'), z.strictObject({ only: categories }), z.strictObject({ except: categories })])
    .meta({ description, allowed: 'all, {only: [CATEGORY, ...]} or {except: [CATEGORY, ...]}' });
