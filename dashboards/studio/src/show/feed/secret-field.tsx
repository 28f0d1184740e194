import type { ReactNode } from "react";
import { useState } from "react";
import { CopyButton } from "../../parts/copy-button";

interface Props {
  title: string;
  /** For buttons: "Copy key". */
  word: string;
  text: string;
  testId?: string;
  children?: ReactNode;
}

/** A secret for an encoder. It stays hidden: studios are filmed and shared on screens. */
export function SecretField({ title, word, text, testId, children }: Props) {
  const [shown, setShown] = useState(false);
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        <code data-testid={testId}>{shown ? text : "••••••••••••"}</code>
        <CopyButton text={text} label={`Copy ${word}`} />
        <button type="button" className="small" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? `Hide ${word}` : `Show ${word}`}
        </button>
        {children}
      </dd>
    </div>
  );
}
