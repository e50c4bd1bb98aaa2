import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { defineConfig } from "tsdown";

import { repositoryFileJsonSchema } from "./src/workflows/json-schema.ts";

/** @type {import("tsdown").UserConfig} */
const common = {
  format: "esm",
  platform: "node",
  target: "node20.19",
  outDir: "dist",
  fixedExtension: false,
  logLevel: "warn",
  // What runs is in these files: an install brings no tree of packages along.
  deps: { alwaysBundle: [/^(?!node:|@photostructure\/)/], neverBundle: ["@photostructure/sqlite"], onlyBundle: false },
  // A package's UMD form loads its parts at run time, where they are not.
  inputOptions: { onLog: logBundling, resolve: { mainFields: ["module", "main"] } },
};

export default defineConfig([
  {
    ...common,
    entry: { cli: "src/cli/main.ts", daemon: "src/daemon/main.ts", index: "src/index.ts" },
    clean: true,
    dts: { entry: "src/index.ts" },
    outputOptions: { chunkFileNames: "[name]-[hash].js" },
    hooks: {
      "build:done": () => {
        copyFileSync("src/process/shim.sh", "dist/shim.sh");
        copyGrammars();
        copyFileSync("src/agents/acp/gemini-defaults.json", "dist/gemini-defaults.json");
        writeFileSync("dist/anabranch.schema.json", `${JSON.stringify(repositoryFileJsonSchema(), undefined, 2)}\n`);
      },
    },
  },
  {
    ...common,
    // One file, which starts quickly.
    entry: { mcp: "src/mcp/main.ts" },
    clean: false,
    dts: false,
  },
  {
    ...common,
    // A program of its own, which stays small.
    entry: { watcher: "src/triggers/watcher/main.ts" },
    clean: false,
    dts: false,
  },
]);

function copyGrammars() {
  mkdirSync("dist/grammars", { recursive: true });
  copyFileSync("node_modules/web-tree-sitter/web-tree-sitter.wasm", "dist/grammars/web-tree-sitter.wasm");
  for (const language of ["typescript", "tsx", "javascript", "python", "go", "rust", "java"]) {
    const file = `tree-sitter-${language}.wasm`;
    copyFileSync(`node_modules/@vscode/tree-sitter-wasm/wasm/${file}`, `dist/grammars/${file}`);
  }
}

/** The runtime of the grammars has code for modules that are linked at run time, which ours are not. */
function logBundling(level, log, report) {
  if (log.code === "EVAL" && log.id?.includes("/web-tree-sitter/")) return;
  report(level, log);
}
