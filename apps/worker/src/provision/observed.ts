import type { NotMadeCopy } from './copy-result.ts';

/** What would have been done, and was not. */
export const observed = (
  category: string | null,
  reasons: readonly ('CARD_CHANGED' | 'REKEYED')[],
): NotMadeCopy => ({
  kind: 'observed',
  end: { outcome: 'OBSERVED', reasons, observed: { category } },
});
