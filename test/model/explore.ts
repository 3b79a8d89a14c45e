/** A step that can be taken in a state. */
export interface Step<State> {
  /** What happens, in words. */
  readonly what: string;
  readonly next: State;
}

/** A small system: everything that can happen in it, one step at a time. */
export interface Model<State> {
  readonly initial: readonly State[];
  /** Everything that can happen next, in whatever order the world chooses. */
  steps(state: State): readonly Step<State>[];
  /** Equal for states that differ in nothing that matters (symmetry: which of two equal workers did it). */
  key(state: State): string;
  /** What must never be: why this state is wrong; undefined if it is not. */
  wrong(state: State): string | undefined;
  /** Nothing is left to do. From every state some state at rest has to be within reach. */
  atRest(state: State): boolean;
  /** The state in one line, for people. */
  show(state: State): string;
}

/** What a walk has found. */
export interface Explored {
  /** Distinct states that were visited. */
  readonly states: number;
  /** A shortest way to a wrong state, a line for each step; undefined if there is none. */
  readonly counterexample: readonly string[] | undefined;
}

/**
 * Walks every interleaving of a model, breadth first, so that a counterexample is as short as can be. A state from which
 * no rest can be reached is as wrong as one that `wrong` names. Throws where there are more than `limit` states: what was
 * not walked proves nothing.
 */
export function explore<State>(model: Model<State>, limit = 4_000_000): Explored {
  const indexes = new Map<string, number>();
  const parents: number[] = [];
  const resting: number[] = [];
  const edges = new Edges();
  let frontier: { readonly state: State; readonly index: number }[] = [];
  let found: { readonly index: number; readonly wrong: string } | undefined;

  const visit = (state: State, parent: number, next: typeof frontier): number => {
    const key = model.key(state);
    const known = indexes.get(key);
    if (known !== undefined) return known;
    const index = parents.push(parent) - 1;
    if (index >= limit) throw new Error(`the model has more than ${limit} states; make it smaller`);
    indexes.set(key, index);
    const wrong = model.wrong(state);
    if (wrong !== undefined) found ??= { index, wrong };
    if (model.atRest(state)) resting.push(index);
    next.push({ state, index });
    return index;
  };

  for (const state of model.initial) visit(state, -1, frontier);
  while (frontier.length > 0 && !found) {
    const next: typeof frontier = [];
    for (const { state, index } of frontier) {
      for (const step of model.steps(state)) edges.add(index, visit(step.next, index, next));
      if (found) break;
    }
    frontier = next;
  }
  if (!found) {
    const index = edges.firstWithoutWayTo(resting, parents.length);
    if (index !== undefined) found = { index, wrong: 'from here nothing ever comes to rest' };
  }
  return {
    states: parents.length,
    counterexample: found && retrace(model, wayTo(found.index, parents, indexes), found.wrong),
  };
}

/** The keys from an initial state to the state of an index. */
function wayTo(index: number, parents: readonly number[], indexes: ReadonlyMap<string, number>): string[] {
  const way: number[] = [];
  for (let at: number | undefined = index; at !== undefined && at >= 0; at = parents[at]) way.unshift(at);
  const wanted = new Map(way.map((index, position) => [index, position]));
  const keys: string[] = [];
  for (const [key, index] of indexes) {
    const position = wanted.get(index);
    if (position !== undefined) keys[position] = key;
  }
  return keys;
}

/** Takes the steps once more, so that names stay the same all the way although keys confuse what is symmetric. */
function retrace<State>(model: Model<State>, [first, ...keys]: readonly string[], wrong: string): string[] {
  let state = model.initial.find((state) => model.key(state) === first);
  if (state === undefined) throw new Error('the way does not begin in an initial state');
  const lines = [`at first: ${model.show(state)}`];
  for (const [number, key] of keys.entries()) {
    const step: Step<State> | undefined = model.steps(state).find(({ next }) => model.key(next) === key);
    if (!step) throw new Error('the key of the model confuses states that have different steps');
    state = step.next;
    lines.push(`${number + 1}. ${step.what}`);
  }
  return [...lines, `wrong: ${wrong}: ${model.show(state)}`];
}

/** Who leads to whom, in little memory. */
class Edges {
  #ends = new Int32Array(1 << 16);
  #length = 0;

  add(from: number, to: number): void {
    if (this.#length === this.#ends.length) {
      const longer = new Int32Array(this.#ends.length * 2);
      longer.set(this.#ends);
      this.#ends = longer;
    }
    this.#ends[this.#length++] = from;
    this.#ends[this.#length++] = to;
  }

  /** The first state from which no path leads to one of `goals`. */
  firstWithoutWayTo(goals: readonly number[], states: number): number | undefined {
    const reaches = new Uint8Array(states);
    for (const goal of goals) reaches[goal] = 1;
    // States are numbered as they are found, so that backwards most edges are followed in one round.
    for (let changed = true; changed; ) {
      changed = false;
      for (let at = this.#length - 2; at >= 0; at -= 2) {
        const from = this.#ends[at] ?? 0;
        if (reaches[from] || !reaches[this.#ends[at + 1] ?? 0]) continue;
        reaches[from] = 1;
        changed = true;
      }
    }
    const lost = reaches.indexOf(0);
    return lost < 0 ? undefined : lost;
  }
}
