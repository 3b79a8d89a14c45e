/**
 * Makes the files of a flow. A file goes through these stages, each of which is durable before the next begins:
 *
 *   (due) ──► begun      it has its number, its name and the records that it is for; nobody else gets any of these
 *   begun ──► written    all of it is in a half file beside its place, `.NAME.part`, synced to disk with the folder
 *   written ──► published    the half file was renamed to its place, the folder synced; its records are forgotten
 *   published ──► done   the command, where there is one, has ended well for it
 *
 * A crash may come at any instant, between any two of these. Whoever makes files next finishes first what was begun, and
 * every stage can be told from outside:
 *   begun      the half file may hold anything: nobody has seen it, so it is written again
 *   written    either the half file is there, then it is renamed; or it is not, then it was renamed already, for nobody
 *              else takes it away: whoever reads the flow may even have taken the file, and never finds it again
 *   published  the command is called again: it may have done its work just before, and must take that well
 * So there is no half file, no gap, no number twice and no record twice.
 *
 * One process makes files at a time (`lock.ts`), so nothing that is found begun is in the hands of somebody else.
 */
import { existsSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileConfig } from '../../config/file.ts';
import { namesBy } from '../../config/file-name.ts';
import { TargetError } from '../target.ts';
import type { Commits } from './commits.ts';
import { entriesOf, type Piece, recordsOf } from './contents.ts';
import { Files, type FlowFile } from './files.ts';
import type { Format } from './format.ts';
import { alone } from './lock.ts';
import { seriesOf } from './records.ts';
import type { Sqlite } from './sqlite.ts';
import type { Store } from './store.ts';
import { transfer } from './transfer.ts';
import type { Witness } from './witness.ts';

/** Where a flow is, and how it looks. */
export interface Place {
  readonly config: FileConfig;
  /** Absolute. */
  readonly folder: string;
  /** Where the command runs. */
  readonly directory: string;
  readonly format: Format;
}

export class Publisher {
  readonly #place: Place;
  readonly #commits: Commits;
  readonly #witness: Witness;
  readonly #files: Files;

  constructor(place: Place, commits: Commits, witness: Witness) {
    this.#place = place;
    this.#commits = commits;
    this.#witness = witness;
    this.#files = new Files(place.config);
  }

  /** Finishes what was begun, makes every file that is due, and calls the command for what it was not called for yet. */
  async publish(signal: AbortSignal): Promise<void> {
    await this.#step(() => {}, signal); // the folder is there, and the flow that is meant
    await alone(this.#place.folder, signal, async () => {
      for (const file of await this.#step((sqlite) => this.#files.unfinished(sqlite), signal))
        await this.#finish(file, signal);
      for (;;) {
        const file = await this.#step((sqlite) => this.#files.claim(sqlite, this.#witness.now()), signal);
        if (file === undefined) break;
        this.#witness.reached('claimed');
        await this.#finish(file, signal);
      }
      await this.#transferAll(signal);
    });
  }

  async #finish(file: FlowFile, signal: AbortSignal): Promise<void> {
    const last = file.stage === 'begun' ? await this.#write(file, signal) : file.last;
    await this.#reveal(file);
    await this.#step((sqlite) => this.#files.published(sqlite, file, last), signal);
    this.#witness.reached('published');
  }

  async #write(file: FlowFile, signal: AbortSignal): Promise<number> {
    const { config, folder } = this.#place;
    const store = await this.#commits.run((current) => current, signal);
    const half = await open(this.#halfOf(file), 'w', config.permissions);
    let last = file.last;
    try {
      await half.chmod(config.permissions); // whatever the umask
      for await (const piece of this.#contents(store, file)) {
        signal.throwIfAborted();
        await writeAll(half, piece.bytes);
        last = piece.last;
        this.#witness.reached('half written');
      }
      await half.sync();
    } finally {
      await half.close();
    }
    await syncFolder(folder);
    this.#witness.reached('complete');
    await this.#step((sqlite) => this.#files.written(sqlite, file, last), signal);
    this.#witness.reached('written');
    return last;
  }

  #contents(store: Store, file: FlowFile): AsyncGenerator<Piece> {
    if (file.layout !== undefined) return recordsOf(store, file, file.layout);
    const { config, format } = this.#place;
    const entities = Object.keys(config.entities).filter((entity) => seriesOf(config, entity) === file.series);
    return entriesOf(store, file, entities, format);
  }

  /** Gives a half file its place. Where there is none, that was done already. */
  async #reveal(file: FlowFile): Promise<void> {
    const { folder, config } = this.#place;
    const half = this.#halfOf(file);
    if (existsSync(half)) {
      const path = join(folder, file.name);
      const isNumbered = file.layout !== undefined || namesBy(config.name, 'sequence');
      if (isNumbered && existsSync(path))
        throw new TargetError('misconfigured', `${path} is there already, and not of this flow: take it away`);
      await rename(half, path);
    }
    this.#witness.reached('renamed');
    await syncFolder(folder);
  }

  async #transferAll(signal: AbortSignal): Promise<void> {
    const { config, folder, directory } = this.#place;
    for (const file of await this.#step((sqlite) => this.#files.toTransfer(sqlite), signal)) {
      const path = join(folder, file.name);
      if (config.command !== undefined) {
        if (!existsSync(path))
          throw new TargetError('unavailable', `${path}, which is yet to be transferred, is gone: put it back`);
        await transfer(config.command, path, directory, signal);
        this.#witness.reached('transferred');
      }
      await this.#step((sqlite) => this.#files.transferred(sqlite, file), signal);
      this.#witness.reached('done');
    }
  }

  #halfOf({ name }: FlowFile): string {
    return join(this.#place.folder, `.${name}.part`);
  }

  #step<T>(work: (sqlite: Sqlite) => T, signal: AbortSignal): Promise<T> {
    return this.#commits.run(({ sqlite }) => work(sqlite), signal);
  }
}

async function writeAll(half: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; ) from += (await half.write(bytes, from)).bytesWritten;
}

/** What was made or renamed in a folder is there after a crash of the machine, too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
