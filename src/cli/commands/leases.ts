import { systemClock } from "../../base/clock.ts";
import { printable } from "../../base/printable.ts";
import type { LeaseView } from "../../protocol/views.ts";
import type { CommandAction } from "../command.ts";
import { formatAge, formatDuration, formatTable } from "../format.ts";
import { withSession } from "../session.ts";
import { answer, type Terminal } from "../terminal.ts";

/** `anabranch leases`: lists who alone may write where. */
export const action: CommandAction<object> = (_args, options) =>
  withSession(options, async ({ anabranch, terminal, directory }) => {
    const leases = await anabranch.leases(directory);
    answer(terminal, leases, () => formatLeases(leases, terminal));
    return 0;
  });

function formatLeases(leases: readonly LeaseView[], { plain, colour }: Terminal): string {
  if (plain) return leases.map(plainLine).join("\n");
  if (leases.length === 0) return "Nobody holds a lease here: everybody may write everything.";
  const nowMs = systemClock.wallMs();
  return formatTable(
    leases.map((lease) => [
      lease.id,
      `${lease.run}/${printable(lease.task)}`,
      printable(lease.scope.join(", ")),
      formatAge(nowMs - lease.createdMs),
      colour.dim(lease.renews ? "until its work has landed" : `${formatDuration(lease.expiresMs - nowMs)} left`),
    ]),
  );
}

function plainLine({ id, run, task, scope, expiresMs }: LeaseView): string {
  return [id, `${run}/${task}`, String(expiresMs), ...scope].map(printable).join("\t");
}
