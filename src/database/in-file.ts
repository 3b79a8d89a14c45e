import pg from 'pg';

/** Runs the text of an SQL file through `run`; what PostgreSQL has against it is told with file and line. */
export async function inFile(file: string, text: string, run: (text: string) => Promise<unknown>): Promise<void> {
  try {
    await run(text);
  } catch (error) {
    if (error instanceof pg.DatabaseError) {
      const line = error.position === undefined ? '' : `:${text.slice(0, Number(error.position)).split('\n').length}`;
      error.message = `${file}${line}: ${error.message}`;
    }
    throw error;
  }
}
