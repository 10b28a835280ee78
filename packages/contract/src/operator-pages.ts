/** The pages of the dashboard that messages and alerts lead to, below its address. One per kind of thing that somebody is notified of. */
export const OPERATOR_PAGES = {
  overview: () => '/',
  library: (id: string) => `/libraries/${encodeURIComponent(id)}`,
  waiting: (id: string) => `/events?state=waiting&library=${encodeURIComponent(id)}`,
  sweeps: (id: string) => `/sweeps?lending=${encodeURIComponent(id)}`,
  /** The runbook as the dashboard shows it, at a section. */
  runbook: (section: string) => `/runbook#${section}`,
} as const;

/** Where the runbook is read without a dashboard: in the documentation of this version. */
export const runbookPath = (section: string): string => `docs/runbook.md#${section}`;
