import type { ServiceProgram } from "./service-program.ts";

/** The property list of a launchd agent that keeps a daemon running. Its tasks outlive it, as with systemd. */
export function launchAgentText(label: string, { command, environment }: ServiceProgram): string {
  const variables = Object.entries(environment).flatMap(([name, value]) => [
    `      <key>${escape(name)}</key>`,
    `      <string>${escape(value)}</string>`,
  ]);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    "  <dict>",
    "    <key>Label</key>",
    `    <string>${escape(label)}</string>`,
    "    <key>ProgramArguments</key>",
    "    <array>",
    ...command.map((word) => `      <string>${escape(word)}</string>`),
    "    </array>",
    "    <key>EnvironmentVariables</key>",
    "    <dict>",
    ...variables,
    "    </dict>",
    "    <key>RunAtLoad</key>",
    "    <true/>",
    "    <key>KeepAlive</key>",
    "    <dict>",
    "      <key>SuccessfulExit</key>",
    "      <false/>",
    "    </dict>",
    "    <key>ThrottleInterval</key>",
    "    <integer>10</integer>",
    "    <key>AbandonProcessGroup</key>",
    "    <true/>",
    "  </dict>",
    "</plist>",
    "",
  ].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
