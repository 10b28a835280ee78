/** Words from which the people of one culture are made up. */
export interface Culture {
  readonly women: readonly string[];
  readonly men: readonly string[];
  readonly surnames: readonly string[];
  /** Street names in the culture's own script. */
  readonly streets: readonly string[];
  readonly city: string;
  readonly country: string;
  /** Letters for an e-mail address, where the script is not Latin. */
  readonly mailNames: readonly string[];
}

/** A list from one line of words. */
export const words = (line: string): readonly string[] => line.split(' ');
