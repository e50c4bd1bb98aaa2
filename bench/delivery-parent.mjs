// A parent in the delivery bench: it starts what its plan names, and may wait for it. Started again, it asks for the
// same again, under the same names.
import { appendFileSync, readFileSync } from "node:fs";

const { ANABRANCH_ATTEMPT: attempt, BENCH_LEDGER: ledger, BENCH_PLAN: plan, BENCH_SDK: sdk } = process.env;
const { Anabranch } = await import(sdk);
const { key, waits, children } = JSON.parse(readFileSync(plan, "utf8"));
const note = (...words) => appendFileSync(ledger, `${words.join(" ")}\n`);

note("parent", key, attempt);
const ids = [];
for (const child of children) {
  const environment = child.plan === undefined ? {} : { BENCH_PLAN: child.plan };
  const starter = new Anabranch({ environment: { ...process.env, ...environment } });
  const id = await insist(() => starter.spawn({ tasks: child.tasks, mode: "parallel", requestId: child.key }));
  starter.close();
  note("started", child.key, id);
  ids.push(id);
}
if (waits) {
  const client = new Anabranch();
  for (const { id, outcome } of await insist(() => client.ask("wait", { ids }))) note("heard", key, id, outcome);
  await readInbox(client);
  client.close();
}

/** Writes down everything it is told, then says that it was told. */
async function readInbox(client) {
  for (;;) {
    const { addressee, entries } = await insist(() => client.ask("inbox", {}));
    if (entries.length === 0) return;
    for (const { id, run, task = "-", outcome } of entries) note("told", addressee, id, run, task, outcome);
    await insist(() => client.ask("acknowledge", { ids: entries.map(({ id }) => id) }));
  }
}

/** Asks again where daemons died faster than one client puts up with. */
async function insist(ask) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (cause) {
      if (tries === 10 || !String(cause.code).startsWith("DAEMON_")) throw cause;
    }
  }
}
