import type { GatewayState } from "@simulcast/api";
import { useEffect, useState } from "react";
import { Notice } from "../parts/notice";

/** A blink of the network is not worth a word. */
const PATIENCE_MS = 1_200;

/** Says when the page may be behind the truth, and when it has caught up. */
export function ConnectionBanner({ connection }: { connection: GatewayState }) {
  const away = connection !== "open";
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!away) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [away]);
  return (
    <div className="banner" aria-live="polite">
      {shown && (
        <Notice tone="warn">
          <strong>Live updates are interrupted.</strong> The show goes on, but this page may be out of date. It
          reconnects by itself.
        </Notice>
      )}
    </div>
  );
}
