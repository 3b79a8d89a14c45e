import pg from 'pg';

/** Types that psql sets to the right. */
const numbers = new Set<number>([
  pg.types.builtins.INT2,
  pg.types.builtins.INT4,
  pg.types.builtins.INT8,
  pg.types.builtins.NUMERIC,
  pg.types.builtins.FLOAT8,
]);

/** Runs one statement over a session whose values are texts, and answers with what psql would print. */
export async function runSql(session: pg.Client, statement: string): Promise<string> {
  try {
    const { command, rowCount, fields, rows } = await session.query<(string | null)[]>({
      text: statement,
      rowMode: 'array',
    });
    if (fields.length > 0) return table(fields, rows);
    return `${command}${rowCount === null ? '' : ` ${command === 'INSERT' ? '0 ' : ''}${rowCount}`}`;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return `${error.severity}:  ${error.message}`;
    throw error;
  }
}

function table(fields: readonly pg.FieldDef[], rows: readonly (readonly (string | null)[])[]): string {
  const columns = fields.map(({ name, dataTypeID }, index) => ({
    name,
    right: numbers.has(dataTypeID),
    width: Math.max(name.length, ...rows.map((row) => (row[index] ?? '').length)),
  }));
  const heading = columns.map(({ name, width }) => {
    const before = Math.floor((width - name.length) / 2);
    return ` ${' '.repeat(before)}${name.padEnd(width - before)} `;
  });
  const lines = rows.map((row) =>
    columns.map(({ right, width }, index) => {
      const value = row[index] ?? '';
      return ` ${right ? value.padStart(width) : value.padEnd(width)} `;
    }),
  );
  const rule = columns.map(({ width }) => '-'.repeat(width + 2)).join('+');
  const [first, ...others] = [heading, ...lines].map((cells) => cells.join('|').trimEnd());
  return [first, rule, ...others, `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`].join('\n');
}
