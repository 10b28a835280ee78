/**
 * The shell blocks of a section of a page, in order: `{ heading, text, notRun }`. `heading` is that of the subsection, and `notRun` the
 * reason of a comment `<!-- not run: REASON -->` before the block, else null.
 */
export function readBlocks(page, section) {
  const [, ...after] = page.split(`\n## ${section}\n`);
  const [body = ''] = (after[0] ?? '').split('\n## ');
  return body.split('\n### ').flatMap((part) => {
    const [heading = ''] = part.split('\n');
    const blocks = part.matchAll(/(?:^<!-- not run: (.+?) -->\n+)?^```sh\n(.*?)^```$/gms);
    return Array.from(blocks, ([, notRun = null, text = '']) => ({ heading, text, notRun }));
  });
}
