import { formatValue } from '../commands/table.ts';
import { formatDuration } from './duration.ts';
import type { JournalEntry } from './journal-follower.ts';
import type { Screen } from './screen.ts';

/** The longest remote id that is shown whole, in characters. */
const longest = 60;

const colours: Readonly<Record<string, 'green' | 'red' | 'yellow'>> = { done: 'green', parked: 'red' };

/** A replicated change as one line: when, after how long, whom, what, where, which attributes or what went wrong. */
export function formatChange(entry: JournalEntry, suffix: string, screen: Screen): string {
  const { at, target, entity, key, count, operation, result, remote_id, changed, message, lag_ms } = entry;
  const what = operation === 'none' ? 'as it should be' : operation;
  const outcome = result === 'done' ? what : `${operation} ${result}`;
  return [
    screen.style('dim', at.toISOString().slice(11, 23)),
    (lag_ms === null ? '' : formatDuration(lag_ms)).padStart(6),
    (key === null ? `${count} × ${entity}` : `${entity} ${formatValue(key)}`).padEnd(11),
    screen.style(colours[result] ?? 'yellow', outcome.padEnd(6)),
    shorten(
      (target === 'directory' ? '' : `${target} `) +
        formatValue(remote_id).replace(new RegExp(`,${RegExp.escape(suffix)}$`, 'i'), ''),
    ),
    screen.style('dim', formatValue(result === 'done' ? changed : message)),
  ]
    .join('  ')
    .trimEnd();
}

const shorten = (text: string): string => {
  const characters = Array.from(text);
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : text;
};
