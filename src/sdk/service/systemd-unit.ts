import type { ServiceProgram } from "./service-program.ts";

/**
 * The text of a systemd unit that keeps a daemon running.
 *
 * Only the daemon itself is ended with it: its tasks outlive it, and the next one takes them up. That another daemon
 * runs already is no failure; neither is that this one has left because there was nothing to do.
 */
export function unitText({ command, environment }: ServiceProgram): string {
  // The colon keeps dollar signs as they are; systemd itself starts no program with quotes or backslashes in its path.
  const words = [":/bin/sh", "-c", 'exec "$0" "$@"', ...command].map(quote).join(" ");
  return [
    "[Unit]",
    "Description=Anabranch: tasks in the background",
    "",
    "[Service]",
    `ExecStart=${words}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}`),
    "Restart=on-failure",
    "RestartSec=2s",
    "SuccessExitStatus=5",
    "KillMode=process",
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

/** One word of a unit file, whatever is in it. */
function quote(word: string): string {
  const escaped = word
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replaceAll("%", "%%");
  return `"${escaped}"`;
}
