/** What measurements change of people: their telephone number, which no two changes make the same. */
let last = 1_000_000;

export function nextPhone(): string {
  last += 1;
  return `+39 06 ${last}`;
}
