import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { type LocatedProblem, type Path, type Problem, pathKey } from './problem.ts';

/** A YAML file as it was written: its value (before any `${ENV}` is put in) and where each part of it stands. */
export interface ConfigDocument {
  readonly value: unknown;
  /** What is wrong with it as YAML. */
  readonly problems: readonly LocatedProblem[];
  /** Whether it is so wrong that its value means nothing. */
  readonly broken: boolean;
  /** Where a problem stands; what is missing is looked for at the key of the part that misses it. */
  place(problem: Problem): LocatedProblem;
}

/** Offsets in the text. */
interface Spot {
  readonly key?: number;
  readonly value?: number;
}

// In a flow mapping (`{ url: ${DATABASE_URL} }`) YAML takes the braces of a variable for its own. They are put out of its
// sight as characters that Unicode keeps for such inside use; the text keeps its length, so positions stay right.
const hidden = { open: '\uFDD0', close: '\uFDD1' } as const;
const hide = (text: string) => text.replaceAll(/\$\{([^{}\n]*)\}/g, `$${hidden.open}$1${hidden.close}`);
const show = (text: string) => text.replaceAll(hidden.open, '{').replaceAll(hidden.close, '}');

/** Reads the text of a YAML file; `file` is the name its problems are told under. */
export function readDocument(file: string, text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(hide(text), { lineCounter: lines, prettyErrors: false });
  const spots = new Map<string, Spot>();
  const problems: LocatedProblem[] = [];

  const locate = (offset: number, problem: Problem): LocatedProblem => {
    const { line, col } = lines.linePos(offset);
    return { ...problem, file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const duplicate = code === 'DUPLICATE_KEY';
    const words = duplicate
      ? 'this key stands here for the second time; expected each key once'
      : `not YAML: ${show(message)}`;
    problems.push(locate(pos[0], { path: [], message: words }));
  }

  function read(node: unknown, path: Path, key: number | undefined, inside: readonly Node[]): unknown {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    const value =
      isScalar(node) && (node.value === null || node.value === '') && !node.source ? undefined : start(node);
    spots.set(pathKey(path), { ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }) });
    if (isScalar(resolved)) return typeof resolved.value === 'string' ? show(resolved.value) : resolved.value;
    if (!isMap(resolved) && !isSeq(resolved)) return null;
    if (inside.includes(resolved)) {
      problems.push(locate(start(node) ?? 0, { path, message: 'found an alias of a part that it stands in itself' }));
      return null;
    }
    const within = [...inside, resolved];
    if (isSeq(resolved)) return resolved.items.map((item, index) => read(item, [...path, index], undefined, within));
    return Object.fromEntries(
      resolved.items.map((pair) => {
        const name = isScalar(pair.key) ? show(String(pair.key.value)) : String(pair.key);
        return [name, read(pair.value, [...path, name], start(pair.key), within)];
      }),
    );
  }

  function place(problem: Problem): LocatedProblem {
    const own = spots.get(pathKey(problem.path));
    const offset = problem.at === 'key' ? (own?.key ?? own?.value) : (own?.value ?? own?.key);
    if (offset !== undefined) return locate(offset, problem);
    for (let length = problem.path.length - 1; length > 0; length--) {
      const above = spots.get(pathKey(problem.path.slice(0, length)));
      if (above !== undefined) return locate(above.key ?? above.value ?? 0, problem);
    }
    return locate(0, problem);
  }

  const broken = document.errors.some((error) => error.code !== 'DUPLICATE_KEY');
  return { value: broken ? undefined : read(document.contents, [], undefined, []), problems, broken, place };
}

function start(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const [offset]: unknown[] = node.range;
  return typeof offset === 'number' ? offset : undefined;
}
