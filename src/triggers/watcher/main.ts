/**
 * The watcher: a program of its own that watches the trees of all repositories and tells the daemon where something
 * happened. What that means it leaves to the daemon. It ends with its standard input, so also with a daemon that dies.
 */
import { readFileSync, watch, writeSync } from "node:fs";
import { createInterface } from "node:readline";

import { systemClock } from "../../base/clock.ts";
import { FolderTree, type WatchFolder } from "./folder-tree.ts";
import { Outgoing } from "./outgoing.ts";
import { RecursiveTree } from "./recursive-tree.ts";
import type { WatcherNews, WatcherOrder } from "./wire.ts";

interface Watched {
  readonly root: string;
  readonly tree: FolderTree | RecursiveTree;
  readonly outgoing: Outgoing;
}

/** A daemon that reads nothing must not fill this program's memory. */
const MOST_UNREAD_BYTES = 4 * 1024 * 1024;

const watched = new Map<string, Watched>();
const longestQueue = readQueueLength();
let [happened, isCounting] = [0, false];

function obey(order: WatcherOrder): void {
  const known = watched.get(order.id);
  if (order.do === "watch" && known?.root === order.root) {
    known.tree.skip(order.skip);
    return;
  }
  if (known !== undefined) letGo(order.id, known);
  if (order.do === "watch") take(order);
}

function take({ id, root, skip }: WatcherOrder & { do: "watch" }): void {
  const outgoing = new Outgoing(id, systemClock, send);
  const end = (news: WatcherNews): void => {
    outgoing.close();
    watched.delete(id);
    send(news);
  };
  const listener = {
    changed: (path: string) => outgoing.add(path),
    gone: () => end({ news: "gone", id }),
    failed: (code: string, message: string) => end({ news: "failed", id, code, message }),
  };
  const tree =
    process.platform === "darwin" ? new RecursiveTree(root, listener) : new FolderTree(bytesOf(root), listener, count);
  watched.set(id, { root, tree, outgoing });
  if (tree.open(skip)) send({ news: "ready", id, folders: tree.count });
}

function letGo(id: string, { tree, outgoing }: Watched): void {
  tree.close();
  outgoing.close();
  watched.delete(id);
}

/** The system's queue has an end, and what does not go into it is lost without a word: so what comes out is counted. */
const count: WatchFolder = (path, onChange) =>
  watch(path, { encoding: "latin1" as BufferEncoding }, (kind, name) => {
    happened += 1;
    if (!isCounting) {
      isCounting = true;
      setImmediate(() => {
        if (happened >= longestQueue) for (const { outgoing } of watched.values()) outgoing.miss();
        [happened, isCounting] = [0, false];
      });
    }
    onChange(kind, name);
  });

function readQueueLength(): number {
  try {
    return Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function send(news: WatcherNews): boolean {
  if (news.news === "changed" && process.stdout.writableLength > MOST_UNREAD_BYTES) return false;
  process.stdout.write(`${JSON.stringify(news)}\n`);
  return true;
}

function bytesOf(path: string): string {
  return Buffer.from(path, "utf8").toString("latin1");
}

process.stdout.on("error", () => process.exit(0));
process.on("uncaughtException", (cause) => {
  writeSync(2, `${cause.stack ?? String(cause)}\n`);
  process.exit(1);
});
createInterface({ input: process.stdin })
  .on("line", (line) => obey(JSON.parse(line) as WatcherOrder))
  .on("close", () => process.exit(0));
