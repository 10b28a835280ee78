/** The language of ours that a page in `language` is shown in: its own, or English, or the one that was sent. */
export function languageOf(messages, language) {
  const wanted = String(language || 'en');
  const base = wanted.split(/[-_]/)[0].toLowerCase();
  return [wanted, base, 'en', ...Object.keys(messages)].find((key) => messages[key]) || 'en';
}

/** t(key, values): the sentence in the page's language, in English where a translation lacks it. */
export function createWords(messages, language) {
  const ours = messages[languageOf(messages, language)] || {};
  const english = messages.en || {};
  return function t(key, values) {
    const text = ours[key] !== undefined ? ours[key] : english[key];
    if (text === undefined) return undefined;
    return text.replace(/\{(\w+)\}/g, (whole, name) =>
      values && values[name] !== undefined ? String(values[name]) : whole,
    );
  };
}
