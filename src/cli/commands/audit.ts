import { EXIT_CODES } from "../../base/error-codes.ts";
import { printable } from "../../base/printable.ts";
import type { AuditedReceipt } from "../../protocol/views.ts";
import { plural } from "../format.ts";
import type { CommandAction } from "../command.ts";
import { withSession } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";

/** `anabranch audit`: proves receipts again. */
export const action: CommandAction<object> = (args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const [id] = args;
    const audit = await anabranch.ask("audit", { directory, ...(id === undefined ? {} : { id }) });
    answer(terminal, audit, () => formatAudit(audit.receipts, audit.proved, terminal));
    return audit.proved === audit.receipts.length ? 0 : EXIT_CODES.gate;
  });

function formatAudit(receipts: readonly AuditedReceipt[], proved: number, terminal: Terminal): string {
  if (terminal.plain) return receipts.map(plainLine).join("\n");
  if (receipts.length === 0) return "Nothing has landed here yet: there is no receipt.";
  const lines = receipts.flatMap((receipt) => formatReceipt(receipt, terminal));
  return [...lines, `${proved} of ${plural(receipts.length, "receipt")} proved`].join("\n");
}

function plainLine({ landing, run, proved, problems }: AuditedReceipt): string {
  return [landing, run || "-", proved ? "proved" : "not proved", printable(problems[0] ?? "")].join("\t").trimEnd();
}

function formatReceipt(receipt: AuditedReceipt, { colour }: Terminal): string[] {
  const { landing, target, changesets, waivers, verification, proved, problems } = receipt;
  const word = proved ? colour.green("proved    ") : colour.red("not proved");
  const waived = waivers === 0 ? "" : `, ${plural(waivers, "waiver")}`;
  const what =
    target === ""
      ? ""
      : `  ${plural(changesets, "changeset")} on ${printable(target)}, ${printable(verification)}${waived}`;
  return [`${word}  ${printable(landing)}${what}`, ...problems.map((problem) => `            ${printable(problem)}`)];
}
