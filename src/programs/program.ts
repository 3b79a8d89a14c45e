/** A program that can be started, and what it is called with. */
export interface Program {
  /** As the configuration writes it. */
  readonly line: string;
  /** The file, where it really is; a name without a slash is looked for in PATH. */
  readonly file: string;
  readonly arguments: readonly string[];
  /** What follows the file's name, as it is written: for a shell to read. */
  readonly rest: string;
  /** Where it runs. */
  readonly directory: string;
}
