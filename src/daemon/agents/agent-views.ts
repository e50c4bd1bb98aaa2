import type { NoticeView, TaskView } from "../../protocol/views.ts";
import type { NoticeRow } from "../../store/notices.ts";
import type { FileEntry, SessionRow } from "../../store/sessions.ts";
import type { AgentSpec } from "../../workflows/spec.ts";

type AgentView = NonNullable<TaskView["agent"]>;

/** Who does a task, and the conversations it had about it. */
export function viewAgent({ name, kind, prompt, permission }: AgentSpec, sessions: readonly SessionRow[]): AgentView {
  return { name, kind, prompt, permission, sessions: sessions.map(viewSession) };
}

/** A notice, as clients see it. */
export function viewNotice({ id, run, task, kind, state, record, createdMs, expiresMs }: NoticeRow): NoticeView {
  return {
    id,
    ...(run === undefined ? {} : { run }),
    ...(task === undefined ? {} : { task }),
    kind,
    state,
    title: record.title,
    detail: record.detail,
    ...(record.consequence === undefined ? {} : { consequence: record.consequence }),
    ...(record.by === undefined ? {} : { by: record.by }),
    createdMs,
    ...(expiresMs === undefined ? {} : { expiresMs }),
  };
}

function viewSession({ attempt, state, conversation, record }: SessionRow): AgentView["sessions"][number] {
  const { model, directory, from, contextTokens, sets } = record;
  return {
    attempt,
    state,
    ...(conversation === undefined ? {} : { conversation }),
    ...(model === undefined ? {} : { model }),
    directory,
    ...(from === undefined ? {} : { from: { conversation: from.conversation, way: from.way } }),
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(sets === undefined
      ? {}
      : {
          sets: { ...sets, reads: copy(sets.reads), writes: copy(sets.writes), outside: [...sets.outside] },
        }),
  };
}

function copy(entries: readonly FileEntry[]): FileEntry[] {
  return entries.map((entry) => ({ ...entry }));
}
