// A parent in the delivery bench: it starts what its plan names, and may wait for it. Started again, it asks for the
// same again, under the same names.
import { appendFileSync, readFileSync } from "node:fs";

const { ANABRANCH_ATTEMPT: attempt, BENCH_LEDGER: ledger, BENCH_PLAN: plan, BENCH_SDK: sdk } = process.env;
const { Anabranch } = await import(sdk);
const { key, waits, children } = JSON.parse(readFileSync(plan, "utf8"));
const client = new Anabranch();
const note = (...words) => appendFileSync(ledger, `${words.join(" ")}\n`);

note("parent", key, attempt);
const ids = [];
for (const child of children) {
  const environment = child.plan === undefined ? {} : { BENCH_PLAN: child.plan };
  const starter = new Anabranch({ environment: { ...process.env, ...environment } });
  const id = await starter.spawn({ tasks: child.tasks, mode: "parallel", requestId: child.key });
  starter.close();
  note("started", child.key, id);
  ids.push(id);
}
if (waits) {
  for (const { id, outcome } of await client.wait(ids)) note("heard", key, id, outcome);
}
client.close();
