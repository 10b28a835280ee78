import type { CategoryFilter } from '@passport/config';

/** Whether a filter lets a patron category through; null when it needs the category and there is none. */
export function passesCategoryFilter(filter: CategoryFilter, category: string): boolean | null {
  if (filter.kind === 'all') return true;
  if (category === '') return null;
  return filter.categories.includes(category) === (filter.kind === 'only');
}
