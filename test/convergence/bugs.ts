/**
 * Bugs that the convergence run has to find, each one of the rules of the engine left out, as changes of its source
 * text. The product does not contain them: `plant.ts` puts them into a daemon while it loads.
 */

interface Change {
  /** Below `src/`. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly from: string;
  readonly to: string;
}

export const bugs = {
  /** A delivery ends although its row was changed while it was under way (PROTOCOL B8). */
  'settle ignores rev': [
    {
      file: 'deliver/settle.ts',
      from: 'd.rev <> d.claimed_rev as moved',
      to: 'false as moved',
    },
  ],
  /** Whoever looks may take a delivery, and anybody's result is recorded (PROTOCOL B4, B7). */
  'claims without a token': [
    {
      file: 'deliver/claim.ts',
      from: '(d.token is null or d.lease_until < now())',
      to: 'true',
    },
    {
      file: 'deliver/claim.ts',
      from: 'd.unsure or d.token is not null',
      to: 'd.unsure',
    },
    {
      file: 'deliver/reserve.ts',
      from: 'and d.token = $5',
      to: 'and $5::uuid is not null',
    },
    {
      file: 'deliver/settle.ts',
      from: 'd.token is not distinct from $2::uuid as mine',
      to: '$2::uuid is not null as mine',
    },
    {
      file: 'deliver/settle.ts',
      from: 'where r.sent is not null and (r.entity, r.key) not in',
      to: 'where false and (r.entity, r.key) not in',
    },
  ],
  /** What a dead worker may have done is not looked at: its link is believed (PROTOCOL B5). */
  'no doubt': [
    {
      file: 'deliver/claim.ts',
      from: 'd.unsure or d.token is not null',
      to: 'd.unsure',
    },
  ],
  /** Claim and load share one snapshot, like parts of one statement, which takes 30 ms (PROTOCOL B1). */
  'claim and load in one': [
    {
      file: 'deliver/claim.ts',
      from: 'const { life } = this.#claimant;',
      to: `const { life } = this.#claimant;
      const snapshot = new database.Client(database.options);
      await snapshot.connect();
      setTimeout(() => snapshot.end(), 1000);
      await snapshot.query('begin isolation level repeatable read');
      await snapshot.query('select from staffetta.delivery limit 1');
      await new Promise((resolve) => setTimeout(resolve, 30));`,
    },
    {
      file: 'deliver/claim.ts',
      from: 'const [first] = deliveries;',
      to: 'const [first] = deliveries;\n    for (const row of deliveries) row.snapshot = snapshot;',
    },
    {
      file: 'deliver/load.ts',
      from: 'await database.query<Row>({',
      to: 'await (some.find(({ snapshot }) => snapshot)?.snapshot ?? database).query({',
    },
  ],
  /** Whoever wants a remote id writes under it (PROTOCOL B6). */
  'no reservations': [
    {
      file: 'deliver/reserve.ts',
      from: 'if (wishes.length === 0) return [];',
      to: 'return wishes.map(({ key, normalised }) => ({ key, normalised, fenced: false, holder: { entity, key } }));',
    },
  ],
  /** A view that cannot be read says that nobody is there, and nobody asks again before an entry is removed (PROTOCOL C1). */
  'absence unproven': [
    {
      file: 'deliver/standing.ts',
      from: 'await suspend(database, route, error.message, parameters);\n    return undefined;',
      to: `const { rows } = await database.query(
        \`select key, jsonb_build_object('remoteId', remote_id, 'stableId', stable_id, 'state', state, 'attributes', attributes,
           'fingerprint', fingerprint, 'disable', disable, 'absentFor', extract(epoch from clock_timestamp() - absent_since)) as link
         from staffetta.link where target = $1 and entity = $2 and key = any($3)\`,
        [route.target, route.entity, claimed.map(({ key }) => key)],
      );
      const linkOf = new Map(rows.map(({ key, link }) => [key, link]));
      const loaded = claimed.map((one) => ({ claimed: one, link: linkOf.get(one.key) }));
      return { loaded, unloadable: [], deferred: [], members: new Map() };`,
    },
    {
      file: 'deliver/absence.ts',
      from: 'absent.has(claimed.key) && !wanted.has(claimed.key)',
      to: '!wanted.has(claimed.key)',
    },
  ],
  /** Whatever is asked of the guard may go out (PROTOCOL C3). */
  'guard ignored': [
    {
      file: 'deliver/permit.ts',
      from: 'if (refusal !== null) for (const item of asking) refusals.set(item, refusal);',
      to: 'if (refusal !== null) continue;',
    },
  ],
  /** A target that is observed is sent what was planned. */
  'observe sends': [
    {
      file: 'deliver/permit.ts',
      from: "if (mode === 'observe') return sort(plans, (item) => (does(item.plan) ? observed(item) : undefined));",
      to: "if (mode === 'observe') return sort(plans, () => undefined);",
    },
  ],
  /** What waits for a word may go out without one. */
  'manual sends': [
    {
      file: 'deliver/permit.ts',
      from: "const unapproved = (item: Planned) => !item.loaded.claimed.approved && item.plan.do === 'write';",
      to: "const unapproved = (item: Planned) => mode === 'live' && !item.loaded.claimed.approved && item.plan.do === 'write';",
    },
  ],
  /** Steps of deprovisioning are taken without waiting for their time. */
  'steps at once': [
    {
      file: 'deliver/deprovision.ts',
      from: 'steps.findLast(({ after }) => (elapsed ?? 0) >= after)',
      to: 'steps.at(-1)',
    },
  ],
  /** An entry is made whether or not the targets that come first have the key (PROTOCOL F2). */
  'order ignored': [
    {
      file: 'deliver/after.ts',
      from: "if (mode === 'observe' || route.before.length + route.behind.length === 0)",
      to: 'if (mode !== undefined)',
    },
  ],
} as const satisfies Record<string, readonly Change[]>;

export type BugName = keyof typeof bugs;

/** The source of a file below `src/` with the bug in it. Throws where what the bug changes is not there exactly once. */
export function withBug(name: BugName, file: string, source: string): string {
  const changes: readonly Change[] = bugs[name];
  return changes
    .filter((change) => change.file === file)
    .reduce((text, { from, to }) => {
      const times = text.split(from).length - 1;
      if (times === 1) return text.split(from).join(to);
      throw new Error(`src/${file} contains this ${times} times, expected once, to plant “${name}”: ${from}`);
    }, source);
}

/** The files below `src/` that a bug changes. */
export function filesOf(name: BugName): Set<string> {
  const changes: readonly Change[] = bugs[name];
  return new Set(changes.map(({ file }) => file));
}

export function isBugName(name: string): name is BugName {
  return Object.hasOwn(bugs, name);
}
