import { printable } from "../base/printable.ts";
import { listRefs } from "../git/refs.ts";
import type { Ref } from "../git/repository.ts";
import { gatherFacts, type TargetPlace } from "../landing/audit-facts.ts";
import { judgeReceipt } from "../landing/audit.ts";
import type { Receipt } from "../landing/receipt.ts";
import type { AuditedReceipt } from "../protocol/views.ts";
import type { Vault } from "../workspaces/vault.ts";
import type { Parts } from "./parts.ts";

const RECEIPTS = "refs/receipts/";

/**
 * Proves every receipt in a vault again, from its objects alone, or those of one run.
 *
 * @param commonDirectory the user's repository, which holds the branches
 * @param run the start of a run's id
 */
export async function auditReceipts(
  parts: Parts,
  vault: Vault,
  commonDirectory: string,
  run: string | undefined,
): Promise<AuditedReceipt[]> {
  const targetOf: TargetPlace = ({ target }) =>
    target.kind === "lane"
      ? { gitDirectory: vault.directory, ref: target.name }
      : target.kind === "branch"
        ? { gitDirectory: commonDirectory, ref: branchRef(target.name) }
        : undefined;
  const audited: AuditedReceipt[] = [];
  for (const ref of await listRefs(parts.git, vault.directory, RECEIPTS)) {
    const receipt = await auditOne(parts, vault, ref, targetOf);
    if (run === undefined || receipt.run.startsWith(run)) audited.push(receipt);
  }
  return audited.sort((a, b) => a.atMs - b.atMs);
}

function branchRef(name: string): string {
  return name.startsWith("refs/") ? name : `refs/heads/${name}`;
}

async function auditOne(parts: Parts, vault: Vault, ref: Ref, targetOf: TargetPlace): Promise<AuditedReceipt> {
  try {
    const facts = await gatherFacts(parts.git, vault, ref, targetOf);
    const problems = judgeReceipt(facts);
    return { ...describe(facts.receipt), proved: problems.length === 0, problems };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return {
      landing: ref.name.slice(RECEIPTS.length),
      run: "",
      target: "",
      changesets: 0,
      waivers: 0,
      verification: "",
      atMs: 0,
      proved: false,
      problems: [`the receipt cannot be read: ${printable(why)}`],
    };
  }
}

function describe({
  landing,
  run,
  target,
  changesets,
  verification,
  atMs,
}: Receipt): Omit<AuditedReceipt, "proved" | "problems"> {
  return {
    landing,
    run,
    target: `${target.kind} ${target.name}`,
    changesets: changesets.length,
    waivers: changesets.reduce((sum, { waivers }) => sum + waivers.length, 0),
    verification: verification.status,
    atMs,
  };
}
