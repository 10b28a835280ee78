/** The pages of the dashboard that messages, alerts and commands lead to, below its address. One per kind of thing that somebody is told of. */
export const OPERATOR_PAGES = {
  overview: () => '/',
  library: (id: string) => `/libraries/${encodeURIComponent(id)}`,
  /** The copies at a library that somebody has to look at. */
  findings: (id: string) => `/libraries/${encodeURIComponent(id)}/findings`,
  waiting: (id: string) => `/events?state=waiting&library=${encodeURIComponent(id)}`,
  sweeps: (id: string) => `/sweeps?lending=${encodeURIComponent(id)}`,
  /** The runbook as the dashboard shows it, at a section. */
  runbook: (section: string) => `/runbook#${section}`,
} as const;

/** Where the runbook is read without a dashboard: in the documentation of this version. */
export const runbookPath = (section: string): string => `docs/runbook.md#${section}`;

/** A page where somebody can open it; null where the dashboard has no address (`public.dashboard`). */
export const operatorLink = (dashboard: string | null, page: string): string | null =>
  dashboard === null ? null : `${dashboard}${page}`;
