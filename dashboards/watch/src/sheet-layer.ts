/** Where the sheet lies. Whatever a gateway draws over the page, a modal dialog would still lie over it. */

/** "above" everything, as a modal dialog; "below" what scripts draw over the page; "away", not shown at all. */
export type Layer = "above" | "below" | "away";

/** Moves it there, as far scrolled as it was; false when it is there already. */
export function lay(dialog: HTMLDialogElement, layer: Layer): boolean {
  const now: Layer = !dialog.open ? "away" : dialog.matches(":modal") ? "above" : "below";
  if (now === layer) return false;
  const { scrollTop } = dialog;
  dialog.close();
  if (layer === "above") dialog.showModal();
  else if (layer === "below") dialog.show();
  dialog.scrollTop = scrollTop;
  return true;
}
