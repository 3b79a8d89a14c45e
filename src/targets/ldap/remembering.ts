/**
 * The same function, which has what it worked out last at hand: up to `most` answers, all forgotten together when there
 * would be more. Errors are not remembered. Only for what depends on nothing but its argument.
 */
export function remembering<V>(compute: (text: string) => V, most: number): (text: string) => V {
  const known = new Map<string, V>();
  return (text) => {
    const there = known.get(text);
    if (there !== undefined) return there;
    const value = compute(text);
    if (known.size >= most) known.clear();
    known.set(text, value);
    return value;
  };
}
