import type { Connection, Connector } from "@simulcast/api";
import { useState } from "react";
import { CopyButton } from "../parts/copy-button";
import { Notice } from "../parts/notice";
import { Pill } from "../parts/pill";
import { closed } from "../parts/words";
import { abilities, stateOf } from "./connection-words";
import { settingsOf } from "./form";
import { ImportButton } from "./import-button";
import { Portrait } from "./portrait";
import { Reconnect } from "./reconnect";
import { SettingsDialog } from "./settings-dialog";
import { UnlinkDialog } from "./unlink-dialog";
import { Upkeep } from "./upkeep";

interface Props {
  connection: Connection;
  connector: Connector | undefined;
}

export function ConnectionCard({ connection, connector }: Props) {
  const [open, setOpen] = useState<"settings" | "unlink" | null>(null);
  const { label, tone } = stateOf(connection);
  const close = () => setOpen(null);
  const ok = connection.state === "ok";
  const reconnect = <Reconnect connection={connection} connector={connector} />;
  return (
    <li className="card stack tight">
      <div className="row">
        {connection.account && <Portrait name={connection.name} url={connection.account.picture_url} />}
        <span className={`badge badge-${connection.connector}`}>{connection.title}</span>
        <h2 className="wrap">{connection.name}</h2>
        <Pill tone={tone}>{label}</Pill>
      </div>
      <p className="quiet-text wrap">
        {[connection.account?.detail && closed(connection.account.detail), abilities(connection.capabilities)]
          .filter(Boolean)
          .join(" ")}
      </p>
      {connection.state === "gone" && <Notice tone="warn">{connection.reason}</Notice>}
      {connection.state === "reconnect" && (
        <Notice tone="bad" action={reconnect}>
          {connection.reason ?? "The login no longer works."} Nothing is sent or read here until you reconnect
          it.
        </Notice>
      )}
      <Upkeep connection={connection} />
      {connection.webhook_url && <Webhook title={connection.title} url={connection.webhook_url} />}
      <div className="row">
        {connection.capabilities.includes("catalog_source") && ok && <ImportButton id={connection.id} />}
        {ok && reconnect}
        {connector && settable(connection, connector) && (
          <button type="button" className="small" onClick={() => setOpen("settings")}>
            {connector.limits.key_life_s ? "Enter stream key" : "Settings"}
          </button>
        )}
        <button type="button" className="small" onClick={() => setOpen("unlink")}>
          Unlink
        </button>
      </div>
      {open === "settings" && connector && (
        <SettingsDialog connection={connection} connector={connector} onClose={close} />
      )}
      {open === "unlink" && <UnlinkDialog connection={connection} onClose={close} />}
    </li>
  );
}

/** Accounts linked by keys alone are set up by entering all of it again, but for keys that run out. */
function settable(connection: Connection, connector: Connector): boolean {
  const apart = connection.account !== null || connector.limits.key_life_s !== null;
  return apart && settingsOf(connector).length > 0;
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
