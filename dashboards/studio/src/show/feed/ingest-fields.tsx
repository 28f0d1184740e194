import type { IngestAddress } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api";
import { Confirm } from "../../parts/confirm";
import { CopyButton } from "../../parts/copy-button";
import { Notice } from "../../parts/notice";

interface Props {
  showId: string;
  address: IngestAddress;
  feeding: boolean;
  onNewKey: () => Promise<unknown>;
}

/** Server and key in the words of OBS. The key stays hidden: studios are filmed and shared on screens. */
export function IngestFields({ showId, address, feeding, onNewKey }: Props) {
  const [shown, setShown] = useState(false);
  const [asking, setAsking] = useState(false);
  const api = useApi();
  const rotate = useMutation({
    mutationFn: async () => {
      await api.rotateKey(showId);
      await onNewKey();
    },
    onSuccess: () => setAsking(false),
  });
  if (!address.server) {
    return (
      <Notice tone="warn">
        No media server is registered yet, so there is no address for your encoder. Reload this page in a
        minute.
      </Notice>
    );
  }
  return (
    <dl className="ingest">
      <div>
        <dt>Server</dt>
        <dd>
          <code>{address.server}</code>
          <CopyButton text={address.server} label="Copy server" />
        </dd>
      </div>
      <div>
        <dt>Stream key</dt>
        <dd>
          <code data-testid="stream-key">{shown ? address.key : "••••••••••••"}</code>
          <CopyButton text={address.key} label="Copy key" />
          <button type="button" className="small" aria-pressed={shown} onClick={() => setShown(!shown)}>
            {shown ? "Hide key" : "Show key"}
          </button>
          <button type="button" className="small plain" onClick={() => setAsking(true)}>
            New key
          </button>
        </dd>
      </div>
      {asking && (
        <Confirm
          title="Make a new stream key?"
          act="Make a new key"
          busy={rotate.isPending}
          error={rotate.error}
          onAct={() => rotate.mutate()}
          onClose={() => setAsking(false)}
        >
          {feeding
            ? "The encoder that sends now is cut off until you enter the new key in it."
            : "The old key stops working at once."}
        </Confirm>
      )}
    </dl>
  );
}
