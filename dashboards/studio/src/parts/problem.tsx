import { Notice } from "./notice";
import { why } from "./words";

/** What went wrong, if anything did, with a way to try again where there is one. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  if (!error) return null;
  const button = retry && (
    <button type="button" className="small" onClick={retry}>
      Try again
    </button>
  );
  return (
    <Notice tone="bad" action={button}>
      {why(error)}
    </Notice>
  );
}
