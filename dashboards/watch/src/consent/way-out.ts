/** Links from this page to the brand's own shop take the viewer along, if they agreed; all others are left alone. */

/** A pass that does not come in time is not waited for: following a link must not feel slower. */
const WAIT_MS = 800;

export interface WayOutOptions {
  /** Hosts of the brand's shop; empty while nothing may be carried. */
  hosts: () => readonly string[];
  sign: (url: string) => Promise<string>;
  go: (url: string) => void;
}

/** A plain click on such a link, in any element; new tabs and windows are the browser's own business. */
export function wayOut({ hosts, sign, go }: WayOutOptions): (event: MouseEvent) => void {
  return (event) => {
    const url = addressOf(event);
    if (!url || url.protocol !== "https:" || !hosts().includes(url.hostname)) return;
    event.preventDefault();
    const late = new Promise<string>((resolve) => setTimeout(() => resolve(url.href), WAIT_MS));
    const signed = sign(url.href).catch(() => url.href);
    void Promise.race([signed, late]).then(go);
  };
}

function addressOf(event: MouseEvent): URL | null {
  const { button, metaKey, ctrlKey, shiftKey, altKey, defaultPrevented } = event;
  if (button !== 0 || metaKey || ctrlKey || shiftKey || altKey || defaultPrevented) return null;
  for (const one of event.composedPath()) {
    if (!(one instanceof HTMLAnchorElement) || !one.href) continue;
    return one.target && one.target !== "_self" ? null : new URL(one.href);
  }
  return null;
}
