import type { Connector, NewConnection } from "@simulcast/api";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../api";
import { CONNECTIONS } from "../cache";
import { Dialog } from "../parts/dialog";
import { abilities } from "./connection-words";
import { LoginForm } from "./login-form";

/** First which platform, then its own form. */
export function LinkDialog({ connectors, onClose }: { connectors: Connector[]; onClose: () => void }) {
  const [chosen, setChosen] = useState<Connector | null>(null);
  const api = useApi();
  const cache = useQueryClient();
  const add = useMutation({
    mutationFn: (connection: NewConnection) => api.addConnection(connection),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: CONNECTIONS });
      onClose();
    },
  });
  if (chosen) {
    return (
      <Dialog key="form" title={`Link ${chosen.title}`} onClose={onClose}>
        <LoginForm
          connector={chosen}
          name={chosen.title}
          act="Link account"
          busy={add.isPending}
          error={add.error}
          onSend={(login) => add.mutate({ connector: chosen.name, ...login })}
          onClose={onClose}
        />
      </Dialog>
    );
  }
  return (
    <Dialog key="choice" title="What do you want to link?" onClose={onClose}>
      <ul className="connectors">
        {connectors.map((connector) => (
          <li key={connector.name}>
            <button type="button" onClick={() => setChosen(connector)}>
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
