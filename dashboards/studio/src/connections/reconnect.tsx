import type { Connection, Connector } from "@simulcast/api";
import { useState } from "react";
import { Dialog } from "../parts/dialog";
import { Problem } from "../parts/problem";
import { ConsentForm } from "./consent-form";
import { RelinkDialog } from "./relink-dialog";
import { useConsent } from "./use-consent";

interface Props {
  connection: Connection;
  connector: Connector | undefined;
}

/** One press, where the account's app is known here; its login, or its app, is asked for otherwise. */
export function Reconnect({ connection, connector }: Props) {
  const [open, setOpen] = useState(false);
  const begin = useConsent();
  const leaving = begin.isPending || begin.isSuccess;
  const ends = connection.state === "reconnect" || (connection.token_expires_at && !connection.renews);
  const label = connector?.consent || ends ? "Reconnect" : "Change login";
  const close = () => setOpen(false);
  const press = () => {
    if (connection.app_known) begin.mutate({ connector: connection.connector, reconnect: connection.id });
    else setOpen(true);
  };
  return (
    <>
      <button
        type="button"
        className={connection.state === "reconnect" ? "primary small" : "small"}
        disabled={!connector || leaving}
        onClick={press}
      >
        {leaving ? "Opening…" : label}
      </button>
      <Problem error={begin.error} />
      {open && connector?.consent && (
        <Dialog title={`Reconnect ${connection.name}`} onClose={close}>
          <ConsentForm
            connector={connector}
            consent={connector.consent}
            known={[]}
            reconnect={connection.id}
            onClose={close}
          />
        </Dialog>
      )}
      {open && connector && !connector.consent && (
        <RelinkDialog connection={connection} connector={connector} onClose={close} />
      )}
    </>
  );
}
