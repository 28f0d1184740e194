import type { IngestAddress } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api";
import { Confirm } from "../../parts/confirm";
import { CopyButton } from "../../parts/copy-button";
import { Notice } from "../../parts/notice";
import { SecretField } from "./secret-field";

interface Props {
  showId: string;
  address: IngestAddress;
  feeding: boolean;
  onNewKey: () => Promise<unknown>;
}

/** Server and key in the words of OBS. */
export function IngestFields({ showId, address, feeding, onNewKey }: Props) {
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
      <SecretField title="Stream key" word="key" text={address.key} testId="stream-key">
        <button type="button" className="small plain" onClick={() => setAsking(true)}>
          New key
        </button>
      </SecretField>
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
