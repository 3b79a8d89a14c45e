/**
 * The worker of `job-per-change.ts`, as well as it can be written without becoming something else: jobs are fetched and
 * completed many at a time, many run at once, and each is one look at the view by its key and one modification, pipelined
 * on an open connection. Like any job of that kind it does not know what is there, and so writes every attribute.
 */
import { Logger, run, type Task } from 'graphile-worker';
import { Attribute, Change, Client } from 'ldapts';
import { escapeValue } from '../../src/targets/ldap/dn.ts';

const concurrentJobs = 32;

interface Row {
  uid: string;
  given_name: string | null;
  family_name: string | null;
  display_name: string;
  sort_name: string;
  status: string;
  phone: string | null;
  preferred_language: string | null;
  photo: Buffer | null;
  password_hash: string | null;
  department: string | null;
  department_codes: string[] | null;
  emails: string[] | null;
  courses: string[] | null;
}

const { DATABASE_URL = '', LDAP_URL = '', LDAP_BIND_DN = '', LDAP_PASSWORD = '', LDAP_SUFFIX = '' } = process.env;
const client = new Client({ url: LDAP_URL });
await client.bind(LDAP_BIND_DN, LDAP_PASSWORD);

const replicate: Task = async (payload, { withPgClient }) => {
  const look = { name: 'person', text: 'select * from registry.v_person where id = $1', values: [idOf(payload)] };
  const { rows } = await withPgClient((database) => database.query<Row>(look));
  const [row] = rows;
  if (row) await client.modify(`uid=${escapeValue(row.uid)},ou=people,${LDAP_SUFFIX}`, changes(row));
};

function idOf(payload: unknown): unknown {
  return typeof payload === 'object' && payload !== null && 'id' in payload ? payload.id : undefined;
}

function changes(row: Row): Change[] {
  const names = [row.given_name, row.family_name].filter((name) => name !== null).join(' ');
  const values = {
    cn: [names],
    sn: [row.sort_name],
    givenName: [row.given_name],
    displayName: [row.display_name],
    mail: row.emails,
    telephoneNumber: [row.phone],
    employeeType: [row.status],
    departmentNumber: row.department_codes,
    ou: [row.department],
    description: [row.department === null ? null : `${row.status}, ${row.department}`],
    businessCategory: row.courses,
    preferredLanguage: [row.preferred_language],
    userPassword: [row.password_hash],
  };
  return Object.entries(values).map(
    ([type, list]) =>
      new Change({
        operation: 'replace',
        modification: new Attribute({ type, values: (list ?? []).filter((value) => value !== null) }),
      }),
  );
}

await run({
  preset: {
    worker: {
      connectionString: DATABASE_URL,
      concurrentJobs,
      maxPoolSize: 10,
      localQueue: { size: 500 },
      completeJobBatchDelay: 20,
      failJobBatchDelay: 20,
      logger: new Logger(() => (level, message) => {
        if (level === 'error') console.error(message);
      }),
    },
  },
  taskList: { replicate },
});
console.log('at work');
