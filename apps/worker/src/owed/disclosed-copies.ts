import type { DisclosureReceipt } from '@passport/queue';

/**
 * Of these home keys those of which a receipt says that a copy was made at this lending library, and none that it was deleted since.
 * A lending library that invents debts can do so for patrons only whom its desks have seen.
 */
export async function disclosedAt(
  lending: string,
  homeKeys: ReadonlySet<string>,
  receipts: AsyncIterable<DisclosureReceipt>,
): Promise<ReadonlySet<string>> {
  const disclosed = new Set<string>();
  if (homeKeys.size === 0) return disclosed;
  for await (const { lending: to, homeKey, what } of receipts) {
    if (to !== lending || !homeKeys.has(homeKey) || what === 'observed') continue;
    if (what === 'deleted') disclosed.delete(homeKey);
    else disclosed.add(homeKey);
  }
  return disclosed;
}
