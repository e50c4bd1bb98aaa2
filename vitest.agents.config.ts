import { defineConfig } from "vitest/config";

/** The tests that drive real agents, whose programs `npm run agents:install` fetches. */
export default defineConfig({
  test: {
    // A session takes a core: more of them at once only make each slower.
    maxWorkers: 1,
    pool: "forks",
    include: ["test/agents/**/*.test.ts"],
    globalSetup: ["test/fixtures/build.ts"],
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
});
