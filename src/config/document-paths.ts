import { quote } from './form.ts';
import type { Path, Problem } from './problem.ts';

/** Checks the paths of a script's document: none is empty, and where one holds a value, none goes on. */
export function checkDocumentPaths(paths: readonly string[], above: Path): Problem[] {
  return paths.flatMap((path): Problem[] => {
    const problem = (message: string): Problem => ({ path: [...above, path], at: 'key', message });
    if (path.split('.').includes('')) return [problem('expected a path of the document such as inetOrgPerson.cn')];
    const inner = paths.find((other) => other.startsWith(`${path}.`));
    if (inner === undefined) return [];
    return [
      problem(`found a value for ${quote(path)}, while ${quote(inner)} stands inside it; expected one of the two`),
    ];
  });
}
