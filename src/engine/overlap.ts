/**
 * Groups the tasks whose write scopes could meet, directly or through others; a task that meets nobody is left out.
 *
 * A scope is a list of globs or paths. Two meet when what stands before the first wildcard of one is the start of the
 * other's, so it errs towards "they meet": `src/*.ts` and `src/*.css` do. Costs one sort of all globs.
 *
 * @example
 * groupByScope(new Map([["api", ["src/api/**"]], ["all", ["src/**"]], ["docs", ["docs/**"]]])) // [["api", "all"]]
 */
export function groupByScope(scopes: ReadonlyMap<string, readonly string[]>): string[][] {
  const starts = [...scopes].flatMap(([task, globs]) => globs.map((glob) => ({ task, text: literalStart(glob) })));
  starts.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));

  const groups = new Map<string, string[]>([...scopes.keys()].map((task) => [task, [task]]));
  // Sorted, whatever starts a text stands before it; the chain holds those that start the current one.
  const chain: typeof starts = [];
  for (const start of starts) {
    while (chain.length > 0 && !start.text.startsWith(chain.at(-1)?.text ?? "")) chain.pop();
    const meets = chain.at(-1);
    if (meets !== undefined) unite(groups, meets.task, start.task);
    chain.push(start);
  }
  return [...new Set(groups.values())].filter((group) => group.length > 1);
}

/**
 * What stands before the first wildcard of a glob. A path without one ends with a slash, so that `src/a` starts `src/a/b`
 * but not `src/ab`.
 */
export function literalStart(glob: string): string {
  const path = glob
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .join("/");
  const wildcard = path.search(/[*?[\]{}()!+@\\]/);
  if (wildcard >= 0) return path.slice(0, wildcard);
  return path === "" ? "" : `${path}/`;
}

function unite(groups: Map<string, string[]>, a: string, b: string): void {
  const [left, right] = [groups.get(a) ?? [], groups.get(b) ?? []];
  if (left === right) return;
  const [large, small] = left.length >= right.length ? [left, right] : [right, left];
  for (const task of small) {
    large.push(task);
    groups.set(task, large);
  }
}
