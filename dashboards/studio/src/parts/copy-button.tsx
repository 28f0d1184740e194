import { useEffect, useState } from "react";

const SAID_MS = 2_500;

/** Copies `text`; `label` says what it is ("Copy server"). */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = setTimeout(() => setState("idle"), SAID_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () =>
    void toClipboard(text).then(
      () => setState("copied"),
      () => setState("failed"),
    );
  const said = { idle: "", copied: "Copied", failed: "Copying is blocked here: select the text instead" };
  return (
    <>
      <button type="button" className="small" onClick={copy}>
        {state === "idle" ? label : said[state]}
      </button>
      <span className="visually-hidden" role="status">
        {said[state]}
      </span>
    </>
  );
}

async function toClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Browsers hide the clipboard from plain http, which a studio in a local network may well use.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy refused");
}
