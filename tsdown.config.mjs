import { copyFileSync, writeFileSync } from "node:fs";
import { defineConfig } from "tsdown";

import { repositoryFileJsonSchema } from "./src/workflows/json-schema.ts";

export default defineConfig({
  entry: { cli: "src/cli/main.ts", daemon: "src/daemon/main.ts", index: "src/index.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  outDir: "dist",
  clean: true,
  fixedExtension: false,
  logLevel: "warn",
  dts: { entry: "src/index.ts" },
  // What runs is in these files: an install brings no tree of packages along.
  deps: { alwaysBundle: [/^(?!node:|@photostructure\/)/], neverBundle: ["@photostructure/sqlite"], onlyBundle: false },
  outputOptions: { chunkFileNames: "[name]-[hash].js" },
  hooks: {
    "build:done": () => {
      copyFileSync("src/process/shim.sh", "dist/shim.sh");
      writeFileSync("dist/anabranch.schema.json", `${JSON.stringify(repositoryFileJsonSchema(), undefined, 2)}\n`);
    },
  },
});
