import type { Destination, Route } from '../deliver/route.ts';
import { type RemoteState, TargetError } from '../targets/target.ts';

/** What is compared at once: entries, or fewer where they have many values (large groups). */
const entriesAtOnce = 500;
const valuesAtOnce = 20_000;

/** How many times the target's time limit it may be silent in the middle of telling everything. */
const patience = 3;

/**
 * Everything the target holds for an entity, in pages. Throws a TargetError unless it is sure to have seen every entry,
 * also when the target falls silent or `stop` is aborted.
 */
export async function* pagesOf(
  { name, target, timeout }: Destination,
  { entity }: Route,
  attributes: readonly string[],
  stop: AbortSignal,
): AsyncGenerator<readonly RemoteState[], void, undefined> {
  if (!target.scan)
    throw new TargetError(
      'misconfigured',
      `target "${name}" cannot tell everything it holds, so it cannot be compared`,
    );
  const silence = new AbortController();
  const entries = target.scan(entity, attributes, AbortSignal.any([silence.signal, stop]))[Symbol.asyncIterator]();
  let page: RemoteState[] = [];
  let values = 0;
  try {
    for (;;) {
      const timer = setTimeout(() => silence.abort(), patience * timeout);
      const next = await entries.next().finally(() => clearTimeout(timer));
      if (next.done) break;
      page.push(next.value);
      for (const held of Object.values(next.value.attributes)) values += held.length;
      if (page.length < entriesAtOnce && values < valuesAtOnce) continue;
      yield page;
      page = [];
      values = 0;
    }
  } finally {
    await entries.return?.();
  }
  if (page.length > 0) yield page;
}
