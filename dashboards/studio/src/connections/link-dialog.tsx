import type { Connection, Connector, NewConnection } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { CONNECTIONS } from "../cache";
import { Dialog } from "../parts/dialog";
import { abilities } from "./connection-words";
import { ConsentForm } from "./consent-form";
import { LoginForm } from "./login-form";

interface Props {
  connectors: Connector[];
  connections: Connection[];
  onClose: () => void;
}

/** First which platform, then the way in: by consent where it has one, by its keys otherwise. */
export function LinkDialog({ connectors, connections, onClose }: Props) {
  const [chosen, setChosen] = useState<Connector | null>(null);
  const [byKeys, setByKeys] = useState(false);
  if (!chosen) return <Platforms connectors={connectors} onChoose={setChosen} onClose={onClose} />;
  if (!chosen.consent || byKeys) return <ByKeys connector={chosen} onClose={onClose} />;
  return (
    <Dialog key="consent" title={`Link ${chosen.title}`} onClose={onClose}>
      <ConsentForm
        connector={chosen}
        consent={chosen.consent}
        known={connections.filter((one) => one.connector === chosen.name && one.app_known)}
        onClose={onClose}
      />
      <button type="button" className="plain" onClick={() => setByKeys(true)}>
        Enter keys or tokens by hand instead
      </button>
    </Dialog>
  );
}

function Platforms({
  connectors,
  onChoose,
  onClose,
}: {
  connectors: Connector[];
  onChoose: (connector: Connector) => void;
  onClose: () => void;
}) {
  return (
    <Dialog key="choice" title="What do you want to link?" onClose={onClose}>
      <ul className="connectors">
        {connectors.map((connector) => (
          <li key={connector.name}>
            <button type="button" onClick={() => onChoose(connector)}>
              {connector.title}
              <span className="quiet-text">{abilities(connector.capabilities)}</span>
            </button>
          </li>
        ))}
      </ul>
      <div className="row">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

function ByKeys({ connector, onClose }: { connector: Connector; onClose: () => void }) {
  const api = useApi();
  const cache = useQueryClient();
  const add = useMutation({
    mutationFn: (connection: NewConnection) => api.addConnection(connection),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: CONNECTIONS });
      onClose();
    },
  });
  return (
    <Dialog key="form" title={`Link ${connector.title}`} onClose={onClose}>
      <LoginForm
        connector={connector}
        name={connector.title}
        act="Link account"
        busy={add.isPending}
        error={add.error}
        onSend={(login) => add.mutate({ connector: connector.name, ...login })}
        onClose={onClose}
      />
    </Dialog>
  );
}
