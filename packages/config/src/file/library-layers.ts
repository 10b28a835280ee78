import type { z } from 'zod';
import { BUILT_IN_DEFAULTS } from './built-in-defaults.ts';
import {
  copySection,
  DEFAULTED_SECTIONS,
  eligibilitySection,
  kohaSection,
  limitsSection,
  retrySection,
  shareSection,
} from './file-schema.ts';
import type { Path, ProblemList } from '../problems/problem-list.ts';
import { isMapping, readSection } from './read-section.ts';

type SectionName = keyof typeof DEFAULTED_SECTIONS;

/** What one layer (the file's `defaults`, or a library) says of the sections that can be defaulted. */
export type SectionLayer = { readonly [N in SectionName]: Partial<z.output<(typeof DEFAULTED_SECTIONS)[N]>> };

/** Reads the defaulted sections of `raw`, which stands at `at`. */
export function readSectionLayer(raw: unknown, at: Path, problems: ProblemList): SectionLayer {
  const read = <N extends SectionName>(name: N) =>
    readSection<(typeof DEFAULTED_SECTIONS)[N]['shape']>(
      DEFAULTED_SECTIONS[name],
      isMapping(raw) ? raw[name] : undefined,
      [...at, name],
      problems,
    );
  return {
    koha: read('koha'),
    limits: read('limits'),
    copy: read('copy'),
    eligibility: read('eligibility'),
    retry: read('retry'),
  };
}

const BUILT_IN = {
  koha: kohaSection.omit({ url: true, client_id: true, client_secret: true }).parse(BUILT_IN_DEFAULTS.koha),
  limits: limitsSection.parse(BUILT_IN_DEFAULTS.limits),
  share: shareSection.parse(BUILT_IN_DEFAULTS.share),
  copy: copySection.omit({ category: true }).parse(BUILT_IN_DEFAULTS.copy),
  eligibility: eligibilitySection.parse(BUILT_IN_DEFAULTS.eligibility),
  retry: retrySection.parse(BUILT_IN_DEFAULTS.retry),
};

/** Lays a library's sections over the file's defaults and those over the built-in ones, key by key; `set` entry by entry. */
export function mergeLayers(
  defaults: SectionLayer,
  own: SectionLayer,
  share: Partial<z.output<typeof shareSection>>,
) {
  return {
    koha: { ...BUILT_IN.koha, ...defaults.koha, ...own.koha },
    limits: { ...BUILT_IN.limits, ...defaults.limits, ...own.limits },
    share: { ...BUILT_IN.share, ...share },
    copy: {
      ...BUILT_IN.copy,
      ...defaults.copy,
      ...own.copy,
      set: { ...defaults.copy.set, ...own.copy.set },
    },
    eligibility: { ...BUILT_IN.eligibility, ...defaults.eligibility, ...own.eligibility },
    retry: { ...BUILT_IN.retry, ...defaults.retry, ...own.retry },
  };
}

export type MergedSections = ReturnType<typeof mergeLayers>;
