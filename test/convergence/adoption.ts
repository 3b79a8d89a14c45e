/** The day on which Staffetta comes to directories that hold entries already. */
import { lookUp, settleIn } from './inhabitants.ts';
import type { Site } from './site.ts';

interface Report {
  readonly routes: readonly { readonly entity: string; readonly adopted: number; readonly ambiguous: number }[];
}

type Seen = Awaited<ReturnType<typeof lookUp>>;

/** Entries that were there before, adopted: they have to stay the same ones, and those that are right as they are. */
export class Adoption {
  readonly #site: Site;
  readonly #before = new Map<string, Seen>();

  private constructor(site: Site) {
    this.#site = site;
  }

  /** Makes the entries. */
  static async prepare(site: Site): Promise<Adoption> {
    const adoption = new Adoption(site);
    for (const [target, { directory }] of site.targets) {
      await settleIn(target, directory);
      adoption.#before.set(target, await lookUp(target, directory));
    }
    return adoption;
  }

  /** Has every target adopt its entries; answers what is not reported as it is. */
  async adopt(): Promise<string[]> {
    const found: string[] = [];
    for (const target of this.#site.targets.keys()) {
      const said = await this.#adopt(target, 5);
      const wanted = `person: 2 and ${target === 'lists' ? 2 : 0} ambiguous, team: 1 and 0 ambiguous`;
      if (said !== wanted) found.push(`${target}: adopted ${said}, expected ${wanted}`);
    }
    return found;
  }

  /** `tries`: as often it is asked for until it has seen everything, which a busy directory keeps it from. */
  async #adopt(target: string, tries: number, before: ReadonlyMap<string, number> = new Map()): Promise<string> {
    const { code, stdout, stderr } = await this.#site.run('adopt', target, '--yes', '--json');
    if (code !== 0 && tries === 1) throw new Error(`adopt ${target} ended with ${code}: ${stderr}${stdout}`);
    const { routes }: Report = stdout === '' ? { routes: [] } : JSON.parse(stdout);
    const adopted = new Map(before);
    for (const route of routes) adopted.set(route.entity, (adopted.get(route.entity) ?? 0) + route.adopted);
    if (code !== 0) return this.#adopt(target, tries - 1, adopted);
    return routes
      .map(({ entity, ambiguous }) => `${entity}: ${adopted.get(entity)} and ${ambiguous} ambiguous`)
      .join(', ');
  }

  /** What was written to, although it was right. */
  async rewritten(): Promise<string[]> {
    return this.#compare((name, before, now) =>
      name.endsWith(' 51') && now?.csn !== before.csn ? 'was written to, although it was right' : undefined,
    );
  }

  /** Which entries were replaced by others: of people and teams that never left. */
  async replaced(): Promise<string[]> {
    const rows = await this.#site.query<{ name: string }>(
      `select 'person ' || id as name from registry.person where id in (51, 52) union all select 'team ' || id from registry.team where id = 51`,
    );
    const there = new Set(rows.map(({ name }) => name));
    return this.#compare((name, before, now) =>
      there.has(name) && now?.uuid !== before.uuid ? 'is another entry than the adopted one' : undefined,
    );
  }

  async #compare(
    judge: (
      name: string,
      before: { uuid: string; csn: string },
      now: { uuid: string; csn: string } | undefined,
    ) => string | undefined,
  ): Promise<string[]> {
    const found: string[] = [];
    for (const [target, { directory }] of this.#site.targets) {
      const now = await lookUp(target, directory);
      for (const [name, before] of this.#before.get(target) ?? []) {
        const wrong = judge(name, before, now.get(name));
        if (wrong !== undefined) found.push(`${target} ${name} ${wrong}`);
      }
    }
    return found;
  }
}
