import { Notice } from "../parts/notice";
import { Problem } from "../parts/problem";

interface Props {
  /** What is saved, in a word or two. */
  what: string;
  dirty: boolean;
  busy: boolean;
  saved: boolean;
  wrong: boolean;
  error: unknown;
  onDiscard: () => void;
}

/** The end of a settings form. Its buttons stay where they are, so that nobody's focus gets lost. */
export function FormActions({ what, dirty, busy, saved, wrong, error, onDiscard }: Props) {
  return (
    <>
      <Problem error={error} />
      {wrong && !error && <Notice tone="bad">Some fields need another look. They are marked above.</Notice>}
      {saved && <Notice tone="good">Saved. Orders that were placed keep what they were told.</Notice>}
      <div className="row shop-actions">
        <button className="primary" aria-disabled={busy || !dirty}>
          {busy ? "Saving…" : `Save ${what}`}
        </button>
        <button type="button" aria-disabled={busy || !dirty} onClick={() => dirty && !busy && onDiscard()}>
          Discard changes
        </button>
        {dirty && <span className="quiet-text">Not saved yet.</span>}
      </div>
    </>
  );
}
