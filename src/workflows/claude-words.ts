/** The tools of Claude Code 2.1, by the names its agents list them with, older names included. */
export const CLAUDE_TOOLS: readonly string[] = listed(`
  Agent Artifact AskUserQuestion Bash Brief CronCreate CronDelete CronList Edit EnterPlanMode
  EnterWorktree ExitPlanMode ExitWorktree Glob Grep KillBash KillShell LS LSP ListAgents
  ListMcpResources ListMcpResourcesTool ListPeers Monitor MultiEdit NotebookEdit NotebookRead
  PowerShell Projects PushNotification Read ReadMcpResource ReadMcpResourceDir
  ReadMcpResourceDirTool ReadMcpResourceTool ReadNotifications RemoteTrigger ReportFindings
  ScheduleWakeup SendFeedback SendMessage SendUserFile SendUserMessage SetGoal Skill SlashCommand
  StructuredOutput Task TaskCreate TaskGet TaskList TaskOutput TaskStop TaskUpdate TodoWrite
  ToolSearch WaitForMcpServers WebFetch WebSearch Workflow Write BashOutput
`);

/** Those that neither write nor run anything. */
export const CLAUDE_READING_TOOLS: ReadonlySet<string> = new Set(
  listed(`
  AskUserQuestion Glob Grep LS LSP ListMcpResourcesTool NotebookRead Read ReadMcpResourceTool
  ReportFindings TodoWrite ToolSearch WebFetch WebSearch
`),
);

/** Those by which it writes and runs. */
export const CLAUDE_WRITING_TOOLS = ["Bash", "Edit", "Write"] as const;

/** The names by which Claude Code knows models that change with time. */
export const CLAUDE_MODELS: readonly string[] = listed(`
  sonnet opus haiku fable best opusplan default sonnet[1m] opus[1m] fable[1m] opusplan[1m]
`);

/** How hard Claude Code can be told to think. */
export const CLAUDE_EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const;

/** The ways in which Claude Code asks, or does not. */
export const CLAUDE_PERMISSION_MODES = [
  "acceptEdits",
  "auto",
  "bypassPermissions",
  "default",
  "dontAsk",
  "plan",
] as const;

/** What Claude Code can run hooks on. */
export const CLAUDE_HOOK_EVENTS: readonly string[] = listed(`
  PreToolUse PostToolUse PostToolUseFailure PostToolBatch Notification UserPromptSubmit
  UserPromptExpansion SessionStart SessionEnd Stop StopFailure SubagentStart SubagentStop
  PreCompact PostCompact PreModelSwitch PostModelSwitch PermissionRequest PermissionDenied Setup
  TeammateIdle TaskCreated TaskCompleted Elicitation ElicitationResult ConfigChange WorktreeCreate
  WorktreeRemove InstructionsLoaded CwdChanged FileChanged DirectoryAdded MessageDisplay
`);

function listed(words: string): string[] {
  return words.trim().split(/\s+/);
}
