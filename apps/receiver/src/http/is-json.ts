/** Whether a request says that its body is JSON. */
export const isJson = (contentType: string | undefined): boolean =>
  /^application\/json[\t ]*(?:;|$)/i.test(contentType ?? '');
