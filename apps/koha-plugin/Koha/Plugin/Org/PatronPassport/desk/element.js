/** An element with these attributes and children; true stands for a bare attribute, false and undefined for none. */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, '');
    else if (value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A live region whose text is set again is read out again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
