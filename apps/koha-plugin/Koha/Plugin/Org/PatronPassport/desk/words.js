/** The language of ours that a page in `language` is shown in: its own, or English. */
export function languageOf(messages, language) {
  const wanted = String(language || 'en');
  const base = wanted.split(/[-_]/)[0].toLowerCase();
  return messages[wanted] ? wanted : messages[base] ? base : 'en';
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
