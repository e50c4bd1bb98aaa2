import { ownerMark } from "../../process/own-programs.ts";
import { fieldsOf, listOf, parseFields } from "../fields.ts";

/** The environment of a process that belongs to the daemon and not to a task. */
export function serverEnvironment(
  shared: Readonly<Record<string, string>>,
  { password, plugin }: { readonly password: string; readonly plugin: string },
): Record<string, string> {
  return {
    ...shared,
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_SERVER_USERNAME: "opencode",
    OPENCODE_SERVER_PASSWORD: password,
    OPENCODE_CONFIG_CONTENT: JSON.stringify(settings(shared["OPENCODE_CONFIG_CONTENT"], plugin)),
    ...ownerMark(),
  };
}

/** What the person set in the same place stays, but for what the sessions need. */
function settings(theirs: string | undefined, plugin: string): unknown {
  const set = fieldsOf(parseFields(theirs ?? ""));
  // Each step would else be kept a second time: the workspace is kept already.
  const plugins = [...listOf(set["plugin"]), plugin];
  // A tool that was refused is no reason to stop.
  const experimental = { ...fieldsOf(set["experimental"]), continue_loop_on_deny: true };
  return { ...set, autoupdate: false, share: "disabled", snapshot: false, experimental, plugin: plugins };
}
