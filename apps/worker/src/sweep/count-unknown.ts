import { OTHER_HOMES, type SweptHome } from '@passport/queue';
import { type Sweep, count, pagesOf, save } from './sweep-state.ts';

/** Whoever may write patron attributes can write anything there; only what can be a library's id gets into a report. */
const HOME_KEY = /^([A-Za-z0-9][A-Za-z0-9_-]{0,39}):[1-9]\d{0,14}$/;
const NO_HOME_KEY = '?';
/** So many are named; the others are counted together. */
const MOST_NAMED = 100;

/** Counts the copies whose home key names no library that they may come from: one that left, or was renamed. */
export async function countUnknown(sweep: Sweep): Promise<void> {
  const { state, lending } = sweep;
  const type = lending.copy.homeKeyAttribute;
  if (type === null) return;
  const unknown = new Map(Object.entries(state.unknown));
  for await (const page of pagesOf({ type, prefix: '', after: state.after }, sweep)) {
    for (const { attributes } of page.patrons) {
      const value = attributes?.find((each) => each.type === type)?.value ?? '';
      const [, id = NO_HOME_KEY] = HOME_KEY.exec(value) ?? [];
      if (Object.hasOwn(state.homes, id)) continue;
      const name = unknown.has(id) || unknown.size < MOST_NAMED ? id : OTHER_HOMES;
      unknown.set(name, (unknown.get(name) ?? 0) + 1);
    }
    state.unknown = Object.fromEntries(unknown);
    state.after = page.last;
    await save(sweep);
  }
}

/** The homes of a report: those of agreements, and the others that copies name. */
export function withUnknown(
  homes: Readonly<Record<string, SweptHome>>,
  unknown: Readonly<Record<string, number>>,
): Record<string, SweptHome> {
  const named = Object.entries(unknown).map(([id, copies]): [string, SweptHome] => {
    const home: SweptHome = { state: 'done', copies, findings: {}, fields_changed: 0, fields_kept: 0 };
    count(home, 'HOME_UNKNOWN', copies);
    return [id, home];
  });
  return { ...homes, ...Object.fromEntries(named) };
}
