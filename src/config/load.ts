import { readFileSync } from 'node:fs';
import { dirname, normalize, resolve } from 'node:path';
import { checkConfig } from './check.ts';
import { readDocument } from './document.ts';
import { type Environment, fillIn } from './env.ts';
import { ConfigError, type LocatedProblem, type Problem, pathKey } from './problem.ts';
import { revision } from './revision.ts';
import type { Config } from './schema.ts';
import { HiddenSecret, type Secret } from './secret.ts';
import { validate } from './validate.ts';

/** A configuration that was read and found right. */
export interface LoadedConfig {
  /** The file's name, as it was given. */
  readonly file: string;
  /** Its folder, absolute: where relative names of files in it begin. */
  readonly folder: string;
  readonly config: Config;
  /** Which configuration this is; see `revision`. */
  readonly revision: string;
  /** What is allowed but unwise. */
  readonly warnings: readonly LocatedProblem[];
  /** Where a problem stands: `staffetta.yml:12:7`. */
  locate(problem: Problem): string;
  /** The problem with its place, for a ConfigError. */
  place(problem: Problem): LocatedProblem;
}

/**
 * Reads staffetta.yml: YAML, `${ENV}` put in, validated whole. Throws ConfigError with every mistake in it, in the order
 * of the file.
 */
export function loadConfig(file: string, env: Environment = process.env): LoadedConfig {
  const name = normalize(file);
  const document = readDocument(name, readText(name));
  if (document.broken) throw new ConfigError(document.problems);
  const written = document.value;
  if (written === null) throw new ConfigError([document.place(emptyFile)]);
  const version = checkVersion(written);
  if (version !== undefined) throw new ConfigError([document.place(version)]);

  const { value, problems: unset, filled } = fillIn(written, env);
  const { config, problems: invalid } = validate(value, written, filled);
  const findings = config === undefined ? { problems: [], warnings: [] } : checkConfig(config, written);
  const problems = [
    ...document.problems,
    ...[...unset, ...invalid, ...findings.problems].filter(isFirst).map(document.place),
  ];
  if (config === undefined || problems.length > 0) throw new ConfigError(problems.toSorted(inOrder));

  const folder = dirname(resolve(name));
  return {
    file: name,
    folder,
    config: withSecretsIn(config, folder),
    revision: revision(written),
    warnings: findings.warnings.map(document.place),
    locate: (problem) => {
      const { line, column } = document.place(problem);
      return `${name}:${line}:${column}`;
    },
    place: document.place,
  };
}

/** A place is told of once: what else is wrong with it is often no more than a consequence. */
function isFirst(problem: Problem, index: number, problems: readonly Problem[]): boolean {
  const same = (other: Problem) => other.at === problem.at && pathKey(other.path) === pathKey(problem.path);
  return problems.findIndex(same) === index;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file; `staffetta init` writes one to begin with, `--config FILE` names another',
      EISDIR: 'found a directory, expected a file',
      EACCES: 'this user may not read it',
    };
    throw new ConfigError([
      { path: [], file, line: 1, column: 1, message: reasons[String(code)] ?? `cannot be read: ${code}` },
    ]);
  }
}

const emptyFile: Problem = {
  path: [],
  message: 'found nothing in the file; `staffetta init --force` writes one to begin with',
};

/** A file of another version cannot be judged any further. */
function checkVersion(written: unknown): Problem | undefined {
  if (typeof written !== 'object' || written === null || !('version' in written)) return undefined;
  const { version } = written;
  if (typeof version !== 'number' || version === 1) return undefined;
  return {
    path: ['version'],
    message: `found ${version}, expected 1: this Staffetta knows no other version of the file`,
  };
}

function inOrder(left: LocatedProblem, right: LocatedProblem): number {
  return left.line - right.line || left.column - right.column;
}

/** Relative files of secrets begin in the folder of the configuration. */
function withSecretsIn(config: Config, folder: string): Config {
  const targets = Object.entries(config.targets).map(([name, target]) => {
    if (target.type === 'own') return [name, { ...target, secrets: secretsWithin(target.secrets, folder) }] as const;
    if (target.type !== 'ldap') return [name, target] as const;
    const secret = target.bind?.password;
    if (target.bind === undefined || !(secret instanceof HiddenSecret)) return [name, target] as const;
    return [name, { ...target, bind: { ...target.bind, password: secret.within(folder) } }] as const;
  });
  const key = config.passwords?.key;
  const passwords = key instanceof HiddenSecret ? { passwords: { key: key.within(folder) } } : {};
  return { ...config, ...passwords, targets: Object.fromEntries(targets) };
}

function secretsWithin(secrets: Readonly<Record<string, Secret>>, folder: string): Record<string, Secret> {
  const moved = (secret: Secret) => (secret instanceof HiddenSecret ? secret.within(folder) : secret);
  return Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, moved(secret)]));
}
