/** The teams of the university. */
import { createDistinct } from './distinct.ts';
import { hardTeamNames } from './hard.ts';
import type { Random } from './random.ts';

/** A row of `registry.team`, with those of its `member`. */
export interface Team {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly members: readonly { readonly person_id: number; readonly role: string }[];
}

/**
 * The first has a fifth of all people as members, the second none, the third only people who are not replicated; the
 * others a few of everybody.
 *
 * @param replicated people 1 to `replicated` are replicated …
 * @param people … of `people`
 */
export function generateTeams(random: Random, count: number, replicated: number, people: number): Team[] {
  const names = createDistinct();
  return Array.from({ length: count }, (_, index) => {
    const members = (): number[] => {
      if (index === 1) return [];
      if (index === 2) return sequence(replicated + 1, people);
      return some(random, index === 0 ? Math.ceil(people / 5) : random.integer(40), people);
    };
    return {
      id: index + 1,
      name: names.take(hardTeamNames[index] ?? `${random.pick(places)} ${random.pick(things)}`),
      description: random.pick([
        null,
        'Meets on Thursdays, 18:00',
        'First line\nsecond line',
        ' «Société» # 1, + friends ',
      ]),
      members: members().map((person_id, place) => ({ person_id, role: place === 0 ? 'lead' : 'member' })),
    };
  });
}

const places = ['Rome', 'Napoli', 'Zürich', 'Kraków', 'Αθήνα', 'Київ', 'القاهرة', '東京'] as const;
const things = ['chess club', 'choir', 'rowing eight', 'théâtre', 'senate', 'lab 7/B', 'library board'] as const;

const sequence = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

/** So many different people, or fewer: who is drawn twice counts once. */
const some = (random: Random, count: number, people: number): number[] => [
  ...new Set(Array.from({ length: count }, () => 1 + random.integer(people))),
];
