/** One line of what the TypeScript compiler prints without colours. */
const ERROR = /^(?<path>.+?)\((?<line>\d+),\d+\): (?<what>error TS\d+: .*)$/;

/**
 * The errors of a compiler's output that another one of its outputs has not, or not that often. Where in a file they
 * are does not matter: what stands above may have moved them.
 *
 * @example
 * newErrors("", "src/a.ts(3,1): error TS2304: Cannot find name 'load'.")
 * // ["src/a.ts:3 error TS2304: Cannot find name 'load'."]
 */
export function newErrors(before: string, after: string): string[] {
  const known = new Map<string, number>();
  for (const { key } of errorsIn(before)) known.set(key, (known.get(key) ?? 0) + 1);
  return errorsIn(after).flatMap(({ key, text }) => {
    const left = known.get(key) ?? 0;
    known.set(key, left - 1);
    return left > 0 ? [] : [text];
  });
}

function errorsIn(output: string): { readonly key: string; readonly text: string }[] {
  return output.split("\n").flatMap((line) => {
    const { path, line: number, what } = ERROR.exec(line.trimEnd())?.groups ?? {};
    return path === undefined || what === undefined
      ? []
      : [{ key: `${path} ${what}`, text: `${path}:${number ?? ""} ${what}` }];
  });
}
