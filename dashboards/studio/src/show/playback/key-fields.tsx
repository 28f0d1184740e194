import type { PlayerSettings } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { dateTime } from "../../parts/words";
import { GRACES } from "./player-words";

interface Props {
  showId: string;
  settings: PlayerSettings;
  onChanged: (settings: PlayerSettings) => void;
}

/** The key that private links and passes are signed with. */
export function KeyFields({ showId, settings, onChanged }: Props) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const [grace, setGrace] = useState("60");
  const rotate = useMutation({
    mutationFn: () => api.rotatePlaybackKey(showId, Number(grace)),
    onSuccess: (now) => {
      onChanged(now);
      setAsking(false);
    },
  });
  return (
    <div className="stack tight">
      <h3>Signing key</h3>
      <p className="quiet-text" role="status">
        {settings.key_since && `In use since ${dateTime(settings.key_since)}.`}
        {settings.old_keys_until && ` Older links work until ${dateTime(settings.old_keys_until)}.`}
      </p>
      <div className="row">
        <button type="button" className="small" onClick={() => setAsking(true)}>
          Change key
        </button>
      </div>
      {asking && (
        <Dialog title="Change the signing key?" onClose={() => setAsking(false)}>
          <p>Every private link you have made stops working, at once or after a while. Then make new ones.</p>
          <SelectField label="Links and viewers there are" value={grace} options={GRACES} onChoose={setGrace} />
          <Problem error={rotate.error} />
          <div className="row">
            <button type="button" onClick={() => setAsking(false)}>
              Cancel
            </button>
            <button type="button" className="primary" disabled={rotate.isPending} onClick={() => rotate.mutate()}>
              {grace === "0" ? "Change and cut all" : "Change key"}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
