/** "A, B and C", as the language has it. */
export function listed(names, language) {
  try {
    return new Intl.ListFormat(language, { type: 'conjunction' }).format(names);
  } catch {
    return names.join(', ');
  }
}

/** A library's full name as the service reported it, or its id in readable form. */
export function nameOf(id, state) {
  const known = [...(state.homes || []), ...(state.libraries || [])].find((library) => library.id === id);
  if (known && known.name) return known.name;
  const words = String(id || '').replace(/[-_]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The names of the homes that are known so far. */
export function homeNames(state) {
  return (state.homes || []).map((home) => home.name || nameOf(home.id, state));
}
