import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../src/demo/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string of the superuser of the PostgreSQL server that all test files share. */
    postgresUrl: string;
  }
}

/** Starts the PostgreSQL server of a test run; each `createDatabase()` makes a database in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres({ durable: false });
  project.provide('postgresUrl', server.url());
  return () => server.close();
}
