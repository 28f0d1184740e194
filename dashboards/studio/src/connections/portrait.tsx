import { useState } from "react";

/** An account's picture; its first letter where there is none, or none that loads. */
export function Portrait({ name, url }: { name: string; url: string | null }) {
  const [broken, setBroken] = useState(false);
  if (!url || broken) {
    return (
      <span className="portrait" aria-hidden="true">
        {name.slice(0, 1).toUpperCase()}
      </span>
    );
  }
  return (
    <img className="portrait" src={url} alt="" referrerPolicy="no-referrer" onError={() => setBroken(true)} />
  );
}
