import type { TaskDefinition } from "../src/workflows/schema.ts";

/** What a repository costs: `cheap` and `large` are only tracked files, `heavy` brings dependencies to copy. */
export type RepositoryKind = "cheap" | "large" | "heavy";

/**
 * Which workspaces stand ready when a run starts: enough `warm` ones at its base, only `few` (two), all of them but
 * with the base `moved` since, or none (`cold`).
 */
export type PoolState = "warm" | "few" | "moved" | "cold";

/** A piece of work whose fastest arrangement is found out by running it in all of them. */
export interface PlannerCase {
  readonly name: string;
  readonly repository: RepositoryKind;
  readonly pool: PoolState;
  readonly tasks: Readonly<Record<string, TaskDefinition>>;
}

/** Makes the shell command that does one kind of work for so many milliseconds. */
export interface Work {
  readonly wait: (ms: number) => string;
  /** Computes on one processor. */
  readonly burn: (ms: number) => string;
  /** Computes on two processors at once. */
  readonly burnTwo: (ms: number) => string;
  /** Half of the time computes, half waits. */
  readonly half: (ms: number) => string;
  /** Makes and removes so many files outside of the workspace. */
  readonly files: (count: number) => string;
  /** Writes so many megabytes and waits for the disk. */
  readonly flush: (megabytes: number) => string;
}

type Make = (name: string) => TaskDefinition;

/** All cases. The kinds of tasks, their lengths, shapes, repositories and pools are crossed by hand. */
export function plannerCases(work: Work): PlannerCase[] {
  const reads =
    (command: string): Make =>
    (name) => ({ run: `: ${name}; ${command}`, writes: "none" });
  const writes =
    (command: string): Make =>
    (name) => ({ run: `${command}; echo ${name} > made-${name}.txt` });
  const wait = (ms: number): Make => reads(work.wait(ms));
  const burn = (ms: number): Make => reads(work.burn(ms));
  const edit = (ms: number): Make => writes(work.wait(ms));
  const edits = (ms: number): Make => writes(work.burn(ms));
  const cases: PlannerCase[] = [];
  const add = (repository: RepositoryKind, pool: PoolState, name: string, tasks: PlannerCase["tasks"]): void => {
    cases.push({ name: `${repository} ${pool}: ${name}`, repository, pool, tasks });
  };

  for (const [count, ms] of [
    [2, 40],
    [2, 200],
    [4, 100],
    [4, 400],
    [8, 40],
    [8, 150],
  ] as const) {
    add("cheap", "warm", `${count} wait ${ms}`, times(count, wait(ms)));
  }
  for (const [count, ms] of [
    [2, 60],
    [2, 300],
    [4, 150],
    [6, 200],
  ] as const) {
    add("cheap", "warm", `${count} burn ${ms}`, times(count, burn(ms)));
  }
  add("cheap", "warm", "2 burn two 150", times(2, reads(work.burnTwo(150))));
  add("cheap", "warm", "4 burn two 150", times(4, reads(work.burnTwo(150))));
  add("cheap", "warm", "2 burn two 200, 2 wait 300", {
    ...times(2, reads(work.burnTwo(200))),
    ...times(2, wait(300), "w"),
  });
  add("cheap", "warm", "4 half 200", times(4, reads(work.half(200))));
  add("cheap", "warm", "2 files 400", times(2, reads(work.files(400))));
  add("cheap", "warm", "4 files 300", times(4, reads(work.files(300))));
  add("cheap", "warm", "4 flush 24", times(4, reads(work.flush(24))));
  add("cheap", "warm", "wait 800, 6 wait 60", { ...times(1, wait(800), "long"), ...times(6, wait(60)) });
  add("cheap", "warm", "burn 500, 4 burn 80", { ...times(1, burn(500), "long"), ...times(4, burn(80)) });
  add("cheap", "warm", "wait 50 to 400", {
    ...times(1, wait(50), "a"),
    ...times(1, wait(100), "b"),
    ...times(1, wait(200), "c"),
    ...times(1, wait(400), "d"),
  });

  for (const [count, ms] of [
    [2, 60],
    [4, 60],
    [4, 600],
    [6, 200],
  ] as const) {
    add("heavy", "cold", `${count} wait ${ms}`, times(count, wait(ms)));
  }
  add("heavy", "cold", "2 burn 60", times(2, burn(60)));
  add("heavy", "cold", "4 burn 300", times(4, burn(300)));
  add("heavy", "cold", "wait 900, 3 wait 60", { ...times(1, wait(900), "long"), ...times(3, wait(60)) });
  add("heavy", "cold", "2 burn two 200", times(2, reads(work.burnTwo(200))));
  add("heavy", "warm", "4 wait 100", times(4, wait(100)));
  add("heavy", "warm", "4 burn 200", times(4, burn(200)));
  for (const [count, ms] of [
    [2, 60],
    [4, 60],
    [4, 500],
  ] as const) {
    add("heavy", "moved", `${count} wait ${ms}`, times(count, wait(ms)));
  }
  add("heavy", "moved", "4 burn 100", times(4, burn(100)));
  add("heavy", "few", "6 wait 60", times(6, wait(60)));
  add("heavy", "few", "6 wait 400", times(6, wait(400)));

  for (const [count, ms] of [
    [2, 60],
    [4, 100],
    [4, 400],
    [6, 60],
  ] as const) {
    add("cheap", "warm", `${count} edit ${ms}`, times(count, edit(ms)));
  }
  add("cheap", "warm", "4 edit burning 150", times(4, edits(150)));
  for (const [count, ms] of [
    [2, 60],
    [4, 100],
    [4, 500],
  ] as const) {
    add("cheap", "cold", `${count} edit ${ms}`, times(count, edit(ms)));
  }
  add("heavy", "warm", "4 edit 60", times(4, edit(60)));
  add("heavy", "warm", "4 edit 300", times(4, edit(300)));
  for (const [count, ms] of [
    [2, 40],
    [2, 600],
    [4, 40],
    [4, 800],
  ] as const) {
    add("heavy", "cold", `${count} edit ${ms}`, times(count, edit(ms)));
  }
  add("heavy", "cold", "4 edit burning 200", times(4, edits(200)));
  add("heavy", "moved", "4 edit 40", times(4, edit(40)));
  add("heavy", "moved", "4 edit 400", times(4, edit(400)));
  add("heavy", "few", "6 edit 60", times(6, edit(60)));

  add("cheap", "warm", "chain of 4 wait 80", chain(4, wait(80)));
  add("heavy", "cold", "chain of 4 wait 80", chain(4, wait(80)));
  add("heavy", "cold", "chain of 3 edit 80", chain(3, edit(80)));
  add("cheap", "warm", "1 then 5 wait 150", {
    ...times(1, wait(150), "first"),
    ...after(["first1"], times(5, wait(150))),
  });
  add("heavy", "cold", "1 then 4 wait 80", {
    ...times(1, wait(80), "first"),
    ...after(["first1"], times(4, wait(80))),
  });
  add("cheap", "warm", "5 then 1 wait 150", {
    ...times(5, wait(150)),
    ...after(namesOf(5), times(1, wait(150), "last")),
  });
  add("cheap", "warm", "edit 150 then 3 burn 150", {
    ...times(1, edit(150), "first"),
    ...after(["first1"], times(3, burn(150))),
  });
  add("cheap", "warm", "2 chains of 3 wait 120", { ...chain(3, wait(120), "a"), ...chain(3, wait(120), "b") });
  add("heavy", "moved", "2 chains of 3 burn 80", { ...chain(3, burn(80), "a"), ...chain(3, burn(80), "b") });
  add("cheap", "warm", "3 layers of 3 wait 100", layers(3, 3, wait(100)));

  add("cheap", "warm", "4 wait 100, one resource", using("database", times(4, wait(100))));
  add("heavy", "cold", "4 wait 100, one resource", using("database", times(4, wait(100))));
  add("cheap", "warm", "2 and 2 wait 200, two resources", {
    ...using("database", times(2, wait(200), "a")),
    ...using("device", times(2, wait(200), "b")),
  });
  add("heavy", "cold", "3 edit 60, one resource", using("database", times(3, edit(60))));

  add("cheap", "cold", "2 edit 150, 3 wait 100", { ...times(2, edit(150), "e"), ...times(3, wait(100)) });
  add("heavy", "cold", "2 edit 150, 3 wait 100", { ...times(2, edit(150), "e"), ...times(3, wait(100)) });
  add("heavy", "moved", "1 edit 500, 4 wait 60", { ...times(1, edit(500), "e"), ...times(4, wait(60)) });
  add("large", "cold", "3 wait 300", times(3, wait(300)));
  add("large", "cold", "3 edit 100", times(3, edit(100)));
  add("large", "moved", "4 burn 80", times(4, burn(80)));
  add("large", "warm", "4 edit 150", times(4, edit(150)));
  return cases;
}

function namesOf(count: number, stem = "t"): string[] {
  return Array.from({ length: count }, (_, index) => `${stem}${index + 1}`);
}

function times(count: number, make: Make, stem = "t"): Record<string, TaskDefinition> {
  return Object.fromEntries(namesOf(count, stem).map((name) => [name, make(name)]));
}

function chain(count: number, make: Make, stem = "t"): Record<string, TaskDefinition> {
  const names = namesOf(count, stem);
  return Object.fromEntries(
    names.map((name, index) => [name, index === 0 ? make(name) : { ...make(name), needs: [names[index - 1] ?? ""] }]),
  );
}

function after(
  needs: readonly string[],
  tasks: Readonly<Record<string, TaskDefinition>>,
): Record<string, TaskDefinition> {
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, { ...task, needs: [...needs] }]));
}

function using(resource: string, tasks: Readonly<Record<string, TaskDefinition>>): Record<string, TaskDefinition> {
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, { ...task, resources: [resource] }]));
}

function layers(count: number, width: number, make: Make): Record<string, TaskDefinition> {
  const stems = Array.from({ length: count }, (_, index) => String.fromCodePoint(97 + index));
  return Object.assign(
    {},
    ...stems.map((stem, index) => {
      const before = stems[index - 1];
      const tasks = times(width, make, stem);
      return before === undefined ? tasks : after(namesOf(width, before), tasks);
    }),
  ) as Record<string, TaskDefinition>;
}
