import { printable } from "../../base/printable.ts";
import type { HookView, WebhookListing } from "../../protocol/commands/webhooks.ts";
import type { CommandAction } from "../command.ts";
import { formatTable } from "../format.ts";
import { withSession } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";

/** What `anabranch webhooks` is given. */
interface WebhookOptions {
  readonly all?: boolean;
  readonly show?: boolean;
}

/** `anabranch webhooks`, `webhooks rotate`: which hooks triggers wait for, where they are called, and their secrets. */
export const action: CommandAction<WebhookOptions> = ([what, name = ""], options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    if (what === "rotate") {
      const hook = await anabranch.rotateWebhook(name, directory);
      answer(terminal, hook, () => formatRotated(hook, terminal));
      return 0;
    }
    const place = options.all === true ? undefined : directory;
    const listing = await anabranch.webhooks({ directory: place, secrets: options.show === true });
    answer(terminal, listing, () => formatWebhooks(listing, terminal));
    return 0;
  });

function formatWebhooks({ state, why, hooks }: WebhookListing, { plain, colour }: Terminal): string {
  if (plain) return hooks.map(plainLine).join("\n");
  if (hooks.length === 0) return "No enabled trigger here waits for a webhook.";
  const table = formatTable(
    hooks.map(({ hook, signature, address, root, secret }) => [
      printable(hook),
      signature,
      printable(address ?? "not served"),
      colour.dim(printable(root)),
      ...(secret === undefined ? [] : [secret]),
    ]),
  );
  if (state === "listening") return table;
  const reason = state === "failed" ? printable(why ?? "") : "no port is set: webhooks: { port: 8787 } in config.yaml";
  return `${table}\n${colour.yellow(reason)}`;
}

function formatRotated({ hook, secret = "" }: HookView, { plain }: Terminal): string {
  return plain ? secret : `the secret of ${printable(hook)} is now ${secret}; the old one is worth nothing any more`;
}

function plainLine({ hook, signature, address = "", root, secret = "" }: HookView): string {
  return [hook, signature, address, root, secret].map(printable).join("\t");
}
