/**
 * Follows the events of a daemon with several streams at once, in a process of its own, and tells at the end how long
 * each event was on its way to each of them.
 *
 * node event-follower.mjs SDK STREAMS EVENTS TYPE
 */
const [, , sdk, streams = "1", events = "1", type = ""] = process.argv;
const { connect } = await import(sdk);
const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;

const anabranch = await connect({ start: false });
const follow = async () => {
  const [tookMs, seqs] = [[], []];
  process.stdout.write("ready\n");
  for await (const event of anabranch.events({ follow: true, types: [type], sinceMs: Date.now() - 1000 })) {
    tookMs.push(nowMs() - event.data.sentMs);
    seqs.push(event.seq);
    if (seqs.length === Number(events)) break;
  }
  return { tookMs, isInOrder: seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]) };
};
const followed = await Promise.all(Array.from({ length: Number(streams) }, follow));
process.stdout.write(`${JSON.stringify(followed)}\n`);
anabranch.close();
