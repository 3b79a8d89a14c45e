/** Where something stands in the file: keys and positions in lists, from the top. */
export type Path = readonly (string | number)[];

/** A mistake at a place of staffetta.yml: its message says what was found and what was expected. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** The mistake is the key itself rather than its value. Default: the value. */
  readonly at?: 'key';
}

/** A problem with the place of the file that it stands at; line and column count from 1. */
export interface LocatedProblem extends Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Everything that is wrong with a configuration; its message has one line for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly LocatedProblem[];

  constructor(problems: readonly LocatedProblem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `staffetta.yml:12:7: targets.directory.url: …` */
export function formatProblem(problem: LocatedProblem): string {
  const path = problem.path.length === 0 ? '' : `${formatPath(problem.path)}: `;
  return `${problem.file}:${problem.line}:${problem.column}: ${path}${problem.message}`;
}

/** `entities.person.sources["registry.person"].columns[0]` */
export function formatPath(path: Path): string {
  return path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`;
      return /^[\w-]+(;[\w-]+)*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('')
    .replace(/^\./, '');
}

/** A path as a key of a Map or Set. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}

/** What stands at a path of a value read from YAML; undefined if nothing does. */
export function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, step)) return undefined;
    here = Object.getOwnPropertyDescriptor(here, step)?.value;
  }
  return here;
}
