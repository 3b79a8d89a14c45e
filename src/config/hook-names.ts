import { quote } from './form.ts';
import type { Path, Problem } from './problem.ts';
import type { Config } from './schema.ts';

/** Checks that no hook of a target is called as another one that it has, of its own or for all targets. */
export function checkHooks({ hooks, targets }: Config): Problem[] {
  const general = hooks.map(nameAt([]));
  const own = Object.entries(targets).flatMap(([target, { hooks: list }]) =>
    twice([...general, ...list.map(nameAt(['targets', target]))]),
  );
  return [...twice(general), ...own.filter(({ path }) => path[0] === 'targets')];
}

interface Named {
  readonly name: string | undefined;
  readonly path: Path;
}

/** Perl modules have their names in a plugins.conf. */
function nameAt(above: Path) {
  return (hook: Config['hooks'][number], index: number): Named => ({
    name: 'name' in hook ? hook.name : undefined,
    path: [...above, 'hooks', index, 'name'],
  });
}

function twice(list: readonly Named[]): Problem[] {
  return list
    .filter(({ name }, index) => name !== undefined && list.findIndex((other) => other.name === name) !== index)
    .map(({ name, path }) => ({
      path,
      message: `found ${quote(name ?? '')}, which another hook is called already; expected each once for a target`,
    }));
}
