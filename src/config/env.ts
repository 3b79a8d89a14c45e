import { type Path, type Problem, pathKey } from './problem.ts';

/** The environment: names and values. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A text with its variables put in, or what is wrong with it. */
export interface Substituted {
  readonly text: string;
  /** Whether there was any variable. */
  readonly changed: boolean;
  readonly mistakes: readonly string[];
}

/**
 * Puts the environment's values into a text: `${NAME}`; `$${` stands for a literal `${`. What a variable holds is never
 * looked at again, so a value may itself contain `${`. Mistakes name the variable, never a value.
 */
export function substitute(text: string, env: Environment): Substituted {
  const mistakes: string[] = [];
  let changed = false;
  const result = text.replaceAll(/\$\$\{|\$\{([^{}]*)\}|\$\{/g, (found, name: string | undefined) => {
    if (found === '$${') return '${';
    changed = true;
    if (name === undefined) {
      mistakes.push(`found "\${" without its "}", expected \${NAME}; a literal "\${" is written "$\${"`);
    } else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      mistakes.push(
        `found "\${${name}}", expected the name of an environment variable; a literal "\${" is written "$\${"`,
      );
    } else {
      const value = env[name];
      if (value !== undefined) return value;
      mistakes.push(`the environment variable ${name} is not set`);
    }
    return found;
  });
  return { text: result, changed, mistakes };
}

/** A file's value with the environment put in. */
export interface FilledIn {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The places whose text came from the environment, as `pathKey`s. */
  readonly filled: ReadonlySet<string>;
}

/** Substitutes in every text of a value read from YAML; keys stay as they are. */
export function fillIn(value: unknown, env: Environment): FilledIn {
  const problems: Problem[] = [];
  const filled = new Set<string>();

  function fill(here: unknown, path: Path): unknown {
    if (Array.isArray(here)) return here.map((item, index) => fill(item, [...path, index]));
    if (typeof here === 'object' && here !== null) {
      return Object.fromEntries(Object.entries(here).map(([key, item]) => [key, fill(item, [...path, key])]));
    }
    if (typeof here !== 'string') return here;
    const { text, changed, mistakes } = substitute(here, env);
    if (changed) filled.add(pathKey(path));
    problems.push(...mistakes.map((message) => ({ path, message })));
    return text;
  }

  return { value: fill(value, []), problems, filled };
}
