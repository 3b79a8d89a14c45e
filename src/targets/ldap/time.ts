/**
 * Generalized time (RFC 4517 §3.3.13): `2026013123[59[59]][.fraction](Z|±hh[mm])`, as a text that is equal for equal
 * instants; undefined for what is no time.
 */
export function readTime(text: string): string | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,](\d+))?(?:Z|([+-])(\d\d)(\d\d)?)$/i.exec(
    text.trim(),
  );
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour = '0', zoneMinute = '0'] = found;
  const at = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute ?? 0),
    Number(second ?? 0),
  );
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60 * (sign === '-' ? -1 : 1);
  // A fraction counts the last unit given: of an hour, a minute or a second.
  const unit = second !== undefined ? 1n : minute !== undefined ? 60n : 3600n;
  const scale = 10n ** BigInt(fraction.length);
  const parts = (BigInt(at / 1000) - BigInt(zone)) * scale + BigInt(fraction === '' ? 0 : fraction) * unit;
  // Where the fraction ends is written down beside it: 0.50 and 0.5 lose their zeros and become equal.
  let digits = fraction.length;
  let value = parts;
  for (; digits > 0 && value % 10n === 0n; digits -= 1) value /= 10n;
  return `${value}/${digits}`;
}
