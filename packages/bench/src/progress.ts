/** What is going on, on standard error: on a terminal one line that changes, else a line for each change. */
export function startProgress(isTerminal: boolean): { say(text: string): void; done(): void } {
  const write = (text: string): void => void process.stderr.write(text);
  return {
    say: (text) => write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`),
    done: () => {
      if (isTerminal) write('\r\x1b[K');
    },
  };
}
