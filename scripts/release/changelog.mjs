const SECTION = /^## (.+)$/gm;
const UPGRADE = /^Upgrade: (rolling|drained); rollback: (safe|drained|not safe)\b/m;
/** The title of a version that was published, or is about to be. */
const DATED = /^(\S+) - \d{4}-\d{2}-\d{2}$/;

/** The sections of a changelog as `{ title, body }`, in its order. */
export function sectionsOf(changelog) {
  const titles = [...changelog.matchAll(SECTION)];
  return titles.map(({ 0: line, 1: title, index }, at) => ({
    title,
    body: changelog.slice(index + line.length, titles[at + 1]?.index).trim(),
  }));
}

/** How a section says that its version is installed and left again: `{ upgrade, rollback }`, or null. */
export function upgradeOf(body) {
  const [, upgrade, rollback] = UPGRADE.exec(body) ?? [];
  return upgrade === undefined ? null : { upgrade, rollback };
}

/** The section of a version, or null. */
export const sectionOf = (changelog, version) =>
  sectionsOf(changelog).find(({ title }) => DATED.exec(title)?.[1] === version) ?? null;

/** Why this changelog cannot be published as that of `version`, one line each. */
export function changelogProblems(changelog, version) {
  const section = sectionOf(changelog, version);
  const open = sectionsOf(changelog).find(({ title }) => title === 'Unreleased');
  return [
    ...(section === null ? [`CHANGELOG.md: no section "## ${version} - YYYY-MM-DD"`] : []),
    ...(section !== null && upgradeOf(section.body) === null
      ? [
          `CHANGELOG.md: section ${version} has no line "Upgrade: rolling; rollback: safe" (rolling or drained; safe, drained or not safe)`,
        ]
      : []),
    ...(open !== undefined && open.body !== ''
      ? [`CHANGELOG.md: "Unreleased" has entries: move them to section ${version}, or publish another commit`]
      : []),
  ];
}
