import type pg from 'pg';
import { disabledIdOf, remoteIdOf } from '../config/remote-id.ts';
import type { Config, MappingConfig, TargetConfig } from '../config/schema.ts';
import { shownUrl } from '../config/shown-url.ts';

/** What the configuration says, as a row that people can read: a text or a number. */
export interface Setting {
  /** What it is, then of which target or entity, in capitals: `DN_DIRECTORY_PERSON`. */
  readonly code: string;
  readonly text?: string;
  readonly number?: number;
  readonly description: string;
}

/** What staffetta.yml says, as far as it is worth reading; nothing secret. What it does not say is left out. */
function settingsOf(config: Config): Setting[] {
  const { sweep, rescan, reconcile } = config.schedule;
  return [
    ...Object.entries(config.entities).flatMap(([entity, { view, key }]) => [
      about('VIEW', entity)(view, `The view that says who of ${entity} is replicated`),
      about('KEY', entity)(key, `The column of that view that identifies a row`),
    ]),
    ...Object.entries(config.targets).flatMap(([target, of]) => [
      ...ofTarget(target, of),
      ...Object.entries(of.entities).flatMap(([entity, mapping]) => ofMapping(target, entity, mapping)),
    ]),
    about('SCHEDULE_SWEEP')(sweep, 'When whatever was missed is picked up; cron fields, UTC'),
    about('SCHEDULE_RESCAN')(rescan, 'When desired states are compared with links; cron fields, UTC'),
    about('SCHEDULE_RECONCILE')(reconcile, 'When desired states are compared with the live targets; cron fields, UTC'),
  ].flatMap((setting) => setting ?? []);
}

function ofTarget(target: string, of: TargetConfig) {
  const say = (code: string) => about(code, target);
  return [
    say('TYPE')(of.type === 'own' ? of.module : of.type, `The kind of target ${target}`),
    say('MODE')(of.mode, `What may go out to ${target}: observe, manual or live`),
    ...ofKind(target, of),
    say('AFTER')(of.after.join(', ') || undefined, `Targets that must have a key before ${target}`),
    say('SLOTS')(of.slots, `Pumps that each daemon runs for ${target} at once`),
    say('BATCH')(of.batch, `Deliveries to ${target} that a pump claims at once`),
    say('CONCURRENCY')(of.concurrency, `Operations on ${target} in flight per pump`),
    say('TIMEOUT_SECONDS')(of.timeout / 1000, `The longest an operation on ${target} may take`),
    say('GUARD_REMOVALS')(
      of.guard.removals,
      `The share of the links of an entity on ${target} that may go within the window`,
    ),
    say('GUARD_CHANGES')(
      of.guard.changes,
      `The share of the links of an entity on ${target} that may lose values or members within the window`,
    ),
    say('GUARD_FLOOR')(of.guard.floor, `So many removals or changes on ${target} are always allowed`),
    say('GUARD_WINDOW_SECONDS')(of.guard.window / 1000, `The window in which the guard of ${target} counts`),
  ];
}

/** What only one kind of target has. */
function ofKind(target: string, of: TargetConfig) {
  const say = (code: string) => about(code, target);
  switch (of.type) {
    case 'ldap':
      return [
        say('URL')(of.url.join(', '), `Where ${target} is`),
        say('BIND_DN')(of.bind?.dn, `Who Staffetta logs in as on ${target}`),
        say('START_TLS')(String(of.startTls), `Whether connections to ${target} are encrypted with StartTLS`),
      ];
    case 'scim':
    case 'http':
      return [say('URL')(shownUrl(of.url), `Where ${target} is`)];
    case 'file':
      return [say('FOLDER')(of.folder, `The folder of the files of ${target}`)];
    case 'script':
      return [say('BACKENDS')(of.backends, `The folder of the backends of ${target}`)];
    case 'own':
      return [];
  }
}

function ofMapping(target: string, entity: string, mapping: MappingConfig) {
  const say = (code: string) => about(code, target, entity);
  const what = `${entity} on ${target}`;
  const { key, template } = remoteIdOf(mapping);
  const disabledId = disabledIdOf(mapping);
  const steps = mapping.deprovision.map(({ after, do: step }) =>
    after === 0 ? step : `${step} after ${after / 1000} s`,
  );
  return [
    say('VIEW')(mapping.view, `The view that ${what} is read from`),
    say(key)(template, `The name of an entry, ${what}`),
    say('ONLY')(mapping.only, `Who is replicated of the view, ${what}`),
    say('DEPROVISION')(steps.join(', '), `What happens to who has left the view, ${what}`),
    say('REMOVE_AFTER_SECONDS')(mapping.removeAfter / 1000, `How long a removal waits for a return, ${what}`),
    ...(disabledId
      ? [say(`DISABLE_${disabledId.key}`)(disabledId.template, `The name of a disabled entry, ${what}`)]
      : []),
    say('WRITE_BACK')(mapping.writeBack, `The function that is told what became of an identity, ${what}`),
  ];
}

function about(code: string, ...names: readonly string[]) {
  return (value: string | number | undefined, description: string): Setting | undefined => {
    if (value === undefined) return undefined;
    const said = { code: [code, ...names].join('_').toUpperCase(), description };
    return typeof value === 'number' ? { ...said, number: value } : { ...said, text: value };
  };
}

/** Records what the configuration says, for `staffetta.par_conf`; touches only what changed. */
export async function recordSettings(client: pg.ClientBase, config: Config): Promise<void> {
  const settings = JSON.stringify(settingsOf(config));
  await client.query(
    `delete from staffetta.setting where code not in (select code from jsonb_to_recordset($1) as w(code text))`,
    [settings],
  );
  await client.query(
    `insert into staffetta.setting as s (code, text, number, description)
     select code, text, number, description from jsonb_to_recordset($1) as w(code text, text text, number numeric, description text) order by code
     on conflict (code) do update set text = excluded.text, number = excluded.number, description = excluded.description
     where (s.text, s.number, s.description) is distinct from (excluded.text, excluded.number, excluded.description)`,
    [settings],
  );
}
