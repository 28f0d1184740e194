import type { Connection, Connector } from "@simulcast/api";
import { useState } from "react";
import { CopyButton } from "../parts/copy-button";
import { Notice } from "../parts/notice";
import { Pill } from "../parts/pill";
import { PlatformBadge } from "../parts/platform-badge";
import { abilities, stateOf } from "./connection-words";
import { ImportButton } from "./import-button";
import { RelinkDialog } from "./relink-dialog";
import { UnlinkDialog } from "./unlink-dialog";

interface Props {
  connection: Connection;
  connector: Connector | undefined;
}

export function ConnectionCard({ connection, connector }: Props) {
  const [open, setOpen] = useState<"relink" | "unlink" | null>(null);
  const { label, tone } = stateOf(connection);
  const close = () => setOpen(null);
  const relink = (
    <button type="button" className="primary small" disabled={!connector} onClick={() => setOpen("relink")}>
      Link again
    </button>
  );
  return (
    <li className="card stack tight">
      <div className="row">
        <PlatformBadge platform={connection.connector} />
        <h2 className="wrap">{connection.name}</h2>
        <Pill tone={tone}>{label}</Pill>
      </div>
      <p className="quiet-text">{abilities(connection.capabilities)}</p>
      {connection.state === "reconnect" && (
        <Notice tone="bad" action={relink}>
          {connection.reason ?? "The login no longer works."} Nothing is sent or read here until you link it
          again.
        </Notice>
      )}
      {connection.webhook_url && <Webhook title={connection.title} url={connection.webhook_url} />}
      <div className="row">
        {connection.capabilities.includes("catalog_source") && connection.state === "ok" && (
          <ImportButton id={connection.id} />
        )}
        {connection.state === "ok" && (
          <button type="button" className="small" disabled={!connector} onClick={() => setOpen("relink")}>
            Change login
          </button>
        )}
        <button type="button" className="small" onClick={() => setOpen("unlink")}>
          Unlink
        </button>
      </div>
      {open === "relink" && connector && (
        <RelinkDialog connection={connection} connector={connector} onClose={close} />
      )}
      {open === "unlink" && <UnlinkDialog connection={connection} onClose={close} />}
    </li>
  );
}

function Webhook({ title, url }: { title: string; url: string }) {
  return (
    <details>
      <summary>Where {title} reports to</summary>
      <div className="stack tight">
        <p className="quiet-text">
          Enter this address as the webhook in {title}, so that news arrives here at once.
        </p>
        <div className="row">
          <code className="hook">{url}</code>
          <CopyButton text={url} label="Copy address" />
        </div>
      </div>
    </details>
  );
}
