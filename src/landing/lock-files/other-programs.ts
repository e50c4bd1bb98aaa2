import { nameOf, type LockProgram } from "./program.ts";

/** cargo, for `Cargo.lock`. Of sources it only needs to know that they are there. */
export const CARGO: LockProgram = {
  program: "cargo",
  command: "cargo update --workspace",
  attempts: () => [
    ["update", "--workspace", "--offline", "--quiet"],
    ["update", "--workspace", "--quiet"],
  ],
  environment: { CARGO_TERM_COLOR: "never" },
  needOf: (path) => {
    if (path.split("/").includes("target")) return undefined;
    if (nameOf(path) === "Cargo.toml" || path === "Cargo.lock") return "content";
    return path.endsWith(".rs") ? "name" : undefined;
  },
  check: (lockFile) => (/^\[\[package\]\]$/m.test(lockFile) ? undefined : "it names no packages"),
};

/** go, for `go.sum`: what is needed follows from what the sources import. */
export const GO: LockProgram = {
  program: "go",
  command: "go mod tidy",
  attempts: () => [["mod", "tidy"]],
  environment: { GOTOOLCHAIN: "local", GOFLAGS: "-mod=mod", GOWORK: "off", CGO_ENABLED: "0" },
  needOf: (path) => (/(?:^|\/)(?:go\.mod|go\.sum|[^/]+\.go)$/.test(path) ? "content" : undefined),
  check: (lockFile) =>
    lockFile.split("\n").every((line) => line === "" || /^\S+ \S+ h1:\S+$/.test(line))
      ? undefined
      : "it has other lines than sums",
};

/** poetry, for `poetry.lock`. Newer ones keep what is locked unless they are told otherwise; older ones are told to. */
export const POETRY: LockProgram = {
  program: "poetry",
  command: "poetry lock",
  attempts: () => [
    ["lock", "--no-update", "--no-interaction"],
    ["lock", "--no-interaction"],
  ],
  environment: { POETRY_VIRTUALENVS_CREATE: "false" },
  needOf: (path) => (["pyproject.toml", "poetry.lock"].includes(nameOf(path)) ? "content" : undefined),
  check: checkPythonLock,
};

/** uv, for `uv.lock`. Nothing is built: that would run what packages bring along. */
export const UV: LockProgram = {
  program: "uv",
  command: "uv lock",
  attempts: () => [
    ["lock", "--no-build", "--offline"],
    ["lock", "--no-build"],
  ],
  environment: { UV_NO_PROGRESS: "1", UV_PYTHON_DOWNLOADS: "never" },
  needOf: (path) => (["pyproject.toml", "uv.lock", "uv.toml"].includes(nameOf(path)) ? "content" : undefined),
  check: checkPythonLock,
};

function checkPythonLock(lockFile: string): string | undefined {
  return /^(?:\[\[package\]\]|package = \[\])$/m.test(lockFile) ? undefined : "it names no packages";
}
