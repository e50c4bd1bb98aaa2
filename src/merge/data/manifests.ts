import type { Manifest } from "./manifest-rules.ts";

const PACKAGE: Manifest = {
  versions: ["version", "packageManager"],
  dependencies: ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"],
  constraints: ["resolutions", "overrides", "engines", "volta"],
};

const MANIFESTS: Readonly<Record<string, Manifest>> = {
  "package.json": PACKAGE,
  "bower.json": PACKAGE,
  "lerna.json": { versions: ["version"], dependencies: [], constraints: [] },
  "pnpm-workspace.yaml": { versions: [], dependencies: [], constraints: ["catalog", "catalogs", "overrides"] },
  "pubspec.yaml": {
    versions: ["version"],
    dependencies: ["dependencies", "dev_dependencies"],
    constraints: ["dependency_overrides", "environment"],
  },
  "composer.json": { versions: ["version"], dependencies: ["require", "require-dev"], constraints: ["conflict"] },
};

/** What is known of a file of this name. */
export function manifestOf(name: string): Manifest | undefined {
  return Object.hasOwn(MANIFESTS, name) ? MANIFESTS[name] : undefined;
}
