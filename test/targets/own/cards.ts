import { createHash } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AttributeChange, Attributes, Change, CreateTarget, RemoteState, Value } from 'staffetta/target';

/** What a file holds. */
interface Card {
  readonly id: string;
  readonly attributes: Attributes;
}

const create: CreateTarget = (options, { folder, TargetError }) => {
  const cards = resolve(folder, typeof options.folder === 'string' ? options.folder : 'cards');

  /** An id may hold anything, and a name of a file may not. */
  const fileOf = (id: string) => join(cards, `${createHash('sha256').update(id).digest('hex')}.json`);

  const readCard = async (file: string): Promise<Card | undefined> => {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error; // whatever else it is, it does not say that there is no card
    });
    return text === undefined ? undefined : JSON.parse(text);
  };

  /** Whole or not at all, also where the power fails. */
  const writeCard = async (card: Card) => {
    const file = fileOf(card.id);
    const written = await open(`${file}.new`, 'w');
    try {
      await written.writeFile(JSON.stringify(card));
      await written.sync();
    } finally {
      await written.close();
    }
    await rename(`${file}.new`, file);
  };

  /** A folder that is not mounted looks as if there were no card: nothing may be read or written then. */
  const present = async () => {
    const found = await stat(cards).catch(() => undefined);
    if (!found?.isDirectory()) throw new TargetError('misconfigured', `there is no folder ${cards}`);
  };

  const change = async (change: Change, remoteId: string): Promise<void> => {
    if (change.operation === 'remove') return await rm(fileOf(remoteId), { force: true });
    const to = change.operation === 'update' ? (change.renameTo ?? remoteId) : remoteId;
    const there = await readCard(fileOf(remoteId));
    if ((change.operation === 'create' || to !== remoteId) && (await readCard(fileOf(to))))
      throw new TargetError('exists', `there is a card ${to} already`);
    if (change.operation === 'create') return await writeCard({ id: to, attributes: change.attributes });
    if (!there) throw new TargetError('gone', `there is no card ${remoteId}`);
    if (to !== remoteId) await rename(fileOf(remoteId), fileOf(to));
    await writeCard({ id: to, attributes: change.changes.reduce(changed, there.attributes) });
  };

  const stateOf = (remoteId: string, { attributes }: Card, wanted: readonly string[]): RemoteState => ({
    remoteId,
    attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => wanted.includes(name))),
  });

  return {
    async ping() {
      await present();
      return { summary: `cards in ${cards}`, identity: cards };
    },

    async apply(given) {
      await present();
      await change(given, given.remoteId);
      return { remoteId: (given.operation === 'update' ? given.renameTo : undefined) ?? given.remoteId };
    },

    async read({ remoteId }, attributes) {
      await present();
      const card = await readCard(fileOf(remoteId));
      return card && stateOf(remoteId, card, attributes);
    },

    async *scan(_entity, attributes) {
      await present();
      for (const name of await readdir(cards)) {
        const card = name.endsWith('.json') ? await readCard(join(cards, name)) : undefined;
        if (card) yield stateOf(card.id, card, attributes);
      }
    },
  };
};

function changed(attributes: Attributes, { attribute, action, values }: AttributeChange): Attributes {
  const { [attribute]: before = [], ...rest } = attributes;
  const text = (value: Value) => JSON.stringify(value);
  const given = new Set(values.map(text));
  const others = before.filter((value) => !given.has(text(value)));
  const after = action === 'replace' ? values : action === 'add' ? [...others, ...values] : others;
  return after.length === 0 ? rest : { ...rest, [attribute]: after };
}

export default create;
