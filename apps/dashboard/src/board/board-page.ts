const WEB_FONTS = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;

/**
 * Bull Board's page without its web fonts (the dashboard loads nothing from outside) and with our style sheet, which hides
 * the buttons that the dashboard refuses.
 */
export function boardPage(html: string, basePath: string): string {
  return html
    .replace(WEB_FONTS, '')
    .replace('</head>', `<link href="${basePath}/assets/board.css" rel="stylesheet"></head>`);
}
