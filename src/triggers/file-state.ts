/**
 * The state of a file as text: its mode and the id of its content as git names it, `100644:OID`. So what stands on the
 * disk, in a commit and in a journal can be compared without any of it being read again.
 */

/** The state where no file stands. */
export const NOTHING = "none";
/** The mode of a symbolic link. */
export const LINK_MODE = "120000";

/** The state that a journal of Anabranch names by the bytes on the disk; `null`: nothing. */
export function markState(
  mark: { readonly kind: string; readonly digest: string; readonly executable: boolean } | null,
): string {
  return mark === null ? NOTHING : `mark:${mark.kind}:${mark.digest}:${mark.executable ? "x" : "-"}`;
}

/** The state of an entry of a tree. */
export function entryState(mode: string, oid: string): string {
  return `${mode}:${oid}`;
}
