const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** A length of time in its largest sensible unit: `0.4 s`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function formatSeconds(seconds: number): string {
  for (const [unit, length] of units) if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds)} s`;
}

/** A moment as a person reads it, in full and against `now` (that of the database): `2026-11-21 18:53:05Z, 3 min ago`. */
export function formatMoment(at: Date | null, now: Date): string {
  if (at === null) return '';
  const seconds = (now.getTime() - at.getTime()) / 1000;
  const distance = formatSeconds(Math.abs(seconds));
  return `${at.toISOString().slice(0, 19).replace('T', ' ')}Z, ${seconds >= 0 ? `${distance} ago` : `in ${distance}`}`;
}
