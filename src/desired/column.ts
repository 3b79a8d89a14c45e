/** A column of an administrator's view, as PostgreSQL's catalog describes it. */
export interface Column {
  readonly name: string;
  /** Its declared type as it is written in SQL, without a length: `bigint`, `public.citext`, `text[]`. */
  readonly type: string;
  /** The type of one value: its own or, for an array, its elements', looked up through domains. */
  readonly base: string;
  /** The same with its length: `numeric(20,0)`. */
  readonly exact: string;
  /** Whether it is an array (of any dimensions). */
  readonly array: boolean;
  /** What kind of type `base` is. */
  readonly kind: 'base' | 'enum' | 'composite' | 'range' | 'pseudo';
  /** Its collation as it is written in SQL; null where that is the database's own, or it has none. */
  readonly collation: string | null;
  /** False: texts that are not the same may be equal. */
  readonly deterministic: boolean;
}

/** A view (or table) that says who is replicated. */
export interface View {
  /** schema.name, quoted as SQL needs it. */
  readonly sql: string;
  /** Whether the current role may select from it. */
  readonly readable: boolean;
  readonly columns: ReadonlyMap<string, Column>;
}

/** Views by the name that the configuration gives them. A view that is not there is absent. */
export type Views = ReadonlyMap<string, View>;
