import { copyFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "tsdown";

export default defineConfig({
  cwd: resolve(import.meta.dirname, ".."),
  entry: { main: "bench/main.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  outDir: ".build/bench",
  // The results of earlier benches stay.
  clean: false,
  fixedExtension: false,
  logLevel: "warn",
  dts: false,
  deps: {
    alwaysBundle: [/^(?!node:|@photostructure\/|vitest$)/],
    neverBundle: ["@photostructure/sqlite", "vitest"],
    onlyBundle: false,
  },
  inputOptions: { resolve: { mainFields: ["module", "main"] } },
  hooks: {
    "build:done": () => copyFileSync("src/process/shim.sh", ".build/bench/shim.sh"),
  },
});
