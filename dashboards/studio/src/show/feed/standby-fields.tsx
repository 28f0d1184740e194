import type { Feed, IngestAddress } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api";
import { CheckField } from "../../parts/check-field";
import { Confirm } from "../../parts/confirm";
import { CopyButton } from "../../parts/copy-button";
import { Problem } from "../../parts/problem";
import { SecretField } from "./secret-field";

interface Props {
  showId: string;
  address: IngestAddress;
  settings: Feed;
  /** Whether the backup encoder sends. */
  standing: boolean;
  onChanged: () => Promise<unknown>;
}

/** A second encoder that waits, and the ways in for encoders that speak SRT or WHIP. */
export function StandbyFields({ showId, address, settings, standing, onChanged }: Props) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const rotate = useMutation({
    mutationFn: async () => {
      await api.rotateBackupKey(showId);
      await onChanged();
    },
    onSuccess: () => setAsking(false),
  });
  const encrypt = useMutation({
    mutationFn: async (wanted: boolean) => {
      await api.changeFeed(showId, { srt_encrypted: wanted });
      await onChanged();
    },
  });
  const renew = (
    <button type="button" className="small plain" onClick={() => setAsking(true)}>
      {settings.backup_key ? "New backup key" : "Make a backup key"}
    </button>
  );
  return (
    <div className="stack">
      <p className="quiet-text">
        Let a second encoder send with the backup key all the time, with the same settings as the first. When
        the first one drops, the second is on air within two seconds.
      </p>
      <dl className="ingest">
        <div>
          <dt>Server for the backup encoder</dt>
          <dd>
            <code>{address.server}</code>
            <CopyButton text={address.server} label="Copy backup server" />
          </dd>
        </div>
        {settings.backup_key ? (
          <SecretField title="Backup stream key" word="backup key" text={settings.backup_key}>
            {renew}
          </SecretField>
        ) : (
          <div>
            <dt>Backup stream key</dt>
            <dd>{renew}</dd>
          </div>
        )}
        {settings.srt_url && (
          <SecretField title="SRT address, with the key in it" word="SRT address" text={settings.srt_url} />
        )}
        {settings.srt_passphrase && (
          <SecretField title="SRT passphrase" word="passphrase" text={settings.srt_passphrase} />
        )}
        {settings.whip_url && (
          <div>
            <dt>WHIP address, with the stream key as bearer token</dt>
            <dd>
              <code>{settings.whip_url}</code>
              <CopyButton text={settings.whip_url} label="Copy WHIP address" />
            </dd>
          </div>
        )}
      </dl>
      <CheckField
        label="Encrypt SRT"
        help="Encoders must then use the passphrase; it is in the address above already."
        checked={encrypt.isPending ? encrypt.variables : settings.srt_passphrase !== null}
        onCheck={(wanted) => encrypt.mutate(wanted)}
      />
      <Problem error={encrypt.error} />
      {asking && (
        <Confirm
          title="Make a new backup key?"
          act="Make a new key"
          busy={rotate.isPending}
          error={rotate.error}
          onAct={() => rotate.mutate()}
          onClose={() => setAsking(false)}
        >
          {standing
            ? "The backup encoder that waits now is cut off until you enter the new key in it."
            : "The old backup key stops working at once."}
        </Confirm>
      )}
    </div>
  );
}
