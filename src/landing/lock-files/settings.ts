import { parseDocument } from "yaml";

import { nameOf } from "./program.ts";

/** What of the user's environment a program gets: where things are, and how registries are reached. */
const PASSED =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TMPDIR|TEMP|TMP|XDG_\w+|(?:HTTPS?|NO|ALL)_PROXY|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|NPM_TOKEN|NODE_AUTH_TOKEN|NPM_CONFIG_\w+|CARGO_\w+|RUSTUP_\w+|GOPATH|GOMODCACHE|GOCACHE|GOPROXY|GOPRIVATE|GONOPROXY|GONOSUMDB|GOSUMDB|GOROOT|PNPM_HOME|COREPACK_\w+|YARN_\w+|UV_\w+|PIP_\w+|POETRY_\w+|SystemRoot|APPDATA|LOCALAPPDATA)$/i;

/** The environment for a program that makes a lock file. */
export function environmentFor(
  given: Readonly<Record<string, string | undefined>>,
  own: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const passed = Object.entries(given).filter(([name]) => PASSED.test(name));
  return { ...Object.fromEntries(passed), ...own };
}

/** Keys of `.npmrc` that say where packages come from and how they are laid out. */
const NPM_KEYS =
  /^(?:(?:@[\w.-]+:)?registry|legacy-peer-deps|strict-peer-deps|install-strategy|install-links|lockfile-version|omit-lockfile-registry-resolved|node-linker|hoist(?:-pattern)?|public-hoist-pattern|shamefully-hoist|shared-workspace-lockfile|link-workspace-packages|prefer-workspace-packages|auto-install-peers|strict-peer-dependencies|dedupe-peer-dependents|dedupe-direct-deps|resolution-mode|inject-workspace-packages|exclude-links-from-lockfile|save-exact|save-prefix)$/;

/**
 * A settings file of a repository without what names programs to run or holds secrets: whoever changed the repository
 * may have written it.
 *
 * @example
 * tameSettings(".npmrc", "registry=https://r.example\nscript-shell=/tmp/x\n") // "registry=https://r.example\n"
 */
export function tameSettings(path: string, text: string): string {
  const name = nameOf(path);
  if (name === ".npmrc") return tameNpmrc(text);
  return name === ".yarnrc.yml" ? tameYarnrc(text) : text;
}

function tameNpmrc(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => {
    const [, key = "", value = ""] = /^\s*([^=\s]+)\s*=(.*)$/.exec(line) ?? [];
    return NPM_KEYS.test(key) && !value.includes("${");
  });
  return lines.map((line) => `${line}\n`).join("");
}

const YARN_KEYS: ReadonlySet<string> = new Set([
  "nodeLinker",
  "npmRegistryServer",
  "npmScopes",
  "defaultSemverRangePrefix",
  "packageExtensions",
  "supportedArchitectures",
  "compressionLevel",
  "checksumBehavior",
  "catalog",
  "catalogs",
]);

function tameYarnrc(text: string): string {
  const document = parseDocument(text, { logLevel: "silent" });
  const settings: unknown = document.errors.length > 0 ? {} : document.toJS();
  const kept = Object.entries(typeof settings === "object" && settings !== null ? settings : {}).filter(([key]) =>
    YARN_KEYS.has(key),
  );
  return kept.length === 0 ? "" : `${JSON.stringify(Object.fromEntries(kept))}\n`;
}
