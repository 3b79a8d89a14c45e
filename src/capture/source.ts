/** A captured table, as `inspect.ts` found it and `trigger.ts` and `keys.ts` compile it. */
export interface Source {
  /** schema.table as PostgreSQL writes it: the name its events carry. */
  readonly name: string;
  /** The object id of the table: tells a table that was dropped and made again. */
  readonly relation: number;
  /** The columns that its events carry, in this order. Columns are only ever added at the end: older events keep their meaning. */
  readonly columns: readonly Column[];
  /** Its partitions, on every level: who writes to one of them does not fire the triggers of the whole. Undefined: a plain table. */
  readonly partitions: readonly string[] | undefined;
  /** Its owner, quoted: makes and attaches partitions, which then get our row triggers. */
  readonly owner: string;
  /** Row by row instead of statement by statement. */
  readonly byRow: boolean;
  /** Also in sessions that replicate (`session_replication_role = replica`): the subscriptions of logical replication. */
  readonly always: boolean;
  /** UPDATEs of other columns do not matter. Undefined: every UPDATE matters. */
  readonly watched: readonly Column[] | undefined;
  /** Whether its triggers ring the bell (PROTOCOL A1, A4). */
  readonly notify: boolean;
  readonly feeds: readonly Feed[];
}

export interface Column {
  readonly name: string;
  /** Exact SQL type, as `format_type` writes it. */
  readonly type: string;
  /**
   * Whether values that are equal are the same: json has no equality, and under some types and collations `Ada` equals
   * `ada`, and 1.0 equals 1.00.
   */
  readonly exact: boolean;
  /** Whether its text is the same under all settings of a session: a date's is not. */
  readonly steady: boolean;
  /** Whether PostgreSQL computes it only when it is read, so that a trigger sees NULL. */
  readonly virtual: boolean;
}

/** How the rows of a source give keys of an entity. */
export interface Feed {
  readonly entity: string;
  /** SQL expression over one row. */
  readonly expression: string;
  /** Type of the expression. */
  readonly type: string;
  /** Query from an array of that type ($1) to keys, with the type of its only column. */
  readonly resolve: { readonly query: string; readonly type: string } | undefined;
  /** SQL that writes a value of the entity's key type in canonical text form. */
  readonly canonical: (expression: string) => string;
}

/** A short name that is safe in SQL and unlike that of any other source: `registry_person_1f0c`. */
export function slug(source: string, hash: (text: string) => string): string {
  const plain = source
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  return `${plain.slice(0, 24)}_${hash(source).slice(0, 6)}`;
}
