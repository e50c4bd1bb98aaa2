/** Files in which a change is a change of what verification, or somebody's continuous integration, runs. */
const WATCHED: readonly RegExp[] = [
  /^anabranch\.ya?ml$/,
  /^\.github\/(workflows|actions)\//,
  /^\.gitlab-ci\.yml$/,
  /^\.circleci\//,
  /^\.ci\//,
  /^\.buildkite\//,
  /^(azure-pipelines|bitbucket-pipelines|\.travis|appveyor)\.ya?ml$/,
  /^Jenkinsfile$/,
];

/** What a command reads by its own nature: where it finds what it is to run. */
const NAMED_BY: readonly { readonly program: RegExp; readonly files: RegExp }[] = [
  { program: /^(npm|npx|yarn|pnpm|bun)$/, files: /(^|\/)package\.json$/ },
  { program: /^(make|gmake)$/, files: /(^|\/)(GNUm|M|m)akefile$/ },
  { program: /^just$/, files: /(^|\/)\.?justfile$/i },
  {
    program: /^(tox|nox|pytest|python3?)$/,
    files: /^(tox\.ini|noxfile\.py|pytest\.ini|conftest\.py|pyproject\.toml|setup\.cfg)$/,
  },
  { program: /^cargo$/, files: /(^|\/)(Cargo\.toml|build\.rs)$/ },
  { program: /^(mvn|mvnw)$/, files: /(^|\/)pom\.xml$/ },
  { program: /^(gradle|gradlew)$/, files: /(^|\/)(build|settings)\.gradle(\.kts)?$/ },
];

/**
 * The changed paths that have a say in what verification runs: the rules themselves, files of continuous integration,
 * scripts that a command names, and the file in which a build tool looks its commands up.
 *
 * @example
 * rulePaths(["src/a.ts", "package.json", "scripts/check.sh"], ["npm test", "./scripts/check.sh"])
 * // ["package.json", "scripts/check.sh"]
 */
export function rulePaths(changed: readonly string[], commands: readonly string[]): string[] {
  const words = new Set(commands.flatMap((command) => command.split(/[\s"'`;&|()=]+/)));
  const scripts = new Set([...words].map((word) => word.replace(/^(\.\/)+/, "")));
  const programs = [...words].map((word) => word.replace(/^.*\//, ""));
  const lookedUp = NAMED_BY.filter(({ program }) => programs.some((word) => program.test(word)));
  return changed.filter(
    (path) =>
      scripts.has(path) ||
      WATCHED.some((pattern) => pattern.test(path)) ||
      lookedUp.some(({ files }) => files.test(path)),
  );
}
