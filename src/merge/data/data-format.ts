/** How a data file is written. `strict-json` has neither comments nor commas after the last item. */
export type DataFormat = "strict-json" | "json" | "yaml";

const MANIFESTS: ReadonlySet<string> = new Set(["package.json", "lerna.json", "bower.json", "composer.json"]);

const JSON_NAMES =
  /^(?:.*\.(?:json|jsonc|webmanifest|code-workspace)|\.(?:babelrc|swcrc|eslintrc|jshintrc|nycrc|bowerrc|watchmanconfig))$/i;

/**
 * How a file is written, by its name; nothing where it is no data file.
 *
 * @example
 * formatOf("packages/a/package.json") // "strict-json"
 */
export function formatOf(path: string): DataFormat | undefined {
  const name = nameOf(path);
  if (MANIFESTS.has(name)) return "strict-json";
  if (JSON_NAMES.test(name)) return "json";
  return /\.ya?ml$/i.test(name) ? "yaml" : undefined;
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
