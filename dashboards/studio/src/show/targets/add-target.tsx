import type { Connection, NewTarget, Profile, Target, TargetPreset } from "@simulcast/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useApi } from "../../api";
import { CONNECTIONS, TARGET_PRESETS } from "../../cache";
import { linkTo, PATHS } from "../../navigation";
import { Dialog } from "../../parts/dialog";
import { Problem } from "../../parts/problem";
import { CustomForm } from "./custom-form";

interface Props {
  showId: string;
  targets: Target[];
  profiles: Profile[];
  onAdded: () => Promise<unknown>;
}

/** One more place: a linked account, or an address and a key. */
export function AddTarget(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <div className="row">
      <button type="button" onClick={() => setOpen(true)}>
        Add target
      </button>
      {open && <AddDialog {...props} onClose={() => setOpen(false)} />}
    </div>
  );
}

function AddDialog({ showId, targets, profiles, onAdded, onClose }: Props & { onClose: () => void }) {
  const api = useApi();
  const cache = useQueryClient();
  const [preset, setPreset] = useState<TargetPreset | null>(null);
  const add = useMutation({
    mutationFn: async (target: NewTarget) => {
      await api.addTarget(showId, target);
      // An address is an account from now on.
      await Promise.all([cache.invalidateQueries({ queryKey: CONNECTIONS }), onAdded()]);
    },
    onSuccess: onClose,
  });
  if (preset) {
    return (
      <Dialog key="form" title={`Send to ${preset.platform ? preset.title : "any address"}`} onClose={onClose}>
        <CustomForm
          preset={preset}
          profiles={profiles}
          busy={add.isPending}
          error={add.error}
          onSend={(custom, profile) => add.mutate({ custom, profile })}
          onBack={() => setPreset(null)}
        />
      </Dialog>
    );
  }
  return (
    <Dialog key="choice" title="Where should the show play, too?" onClose={onClose}>
      <Accounts
        targets={targets}
        busy={add.isPending}
        onChoose={(account) => add.mutate({ connection_id: account.id })}
      />
      <Problem error={add.error} />
      <Presets onChoose={setPreset} />
      <div className="row">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

interface AccountsProps {
  targets: Target[];
  busy: boolean;
  onChoose: (account: Connection) => void;
}

function Accounts({ targets, busy, onChoose }: AccountsProps) {
  const api = useApi();
  const connections = useQuery({ queryKey: CONNECTIONS, queryFn: ({ signal }) => api.connections(signal) });
  const used = new Set(targets.map((target) => target.connection_id));
  const free = connections.data?.filter(
    (one) => one.capabilities.includes("destination") && !used.has(one.id),
  );
  return (
    <section className="stack tight" aria-labelledby="accounts">
      <h3 id="accounts">Your accounts</h3>
      {free?.length ? (
        <ul className="places">
          {free.map((one) => (
            <li key={one.id}>
              <button type="button" aria-disabled={busy} onClick={() => busy || onChoose(one)}>
                {one.name}
                <span className="quiet-text">
                  {one.state === "ok" ? one.title : "Must be linked again first"}
                </span>
              </button>
            </li>
          ))}
        </ul>
      ) : (
        <p className="quiet-text">
          {connections.isPending ? "Looking for accounts…" : "Every account you have linked is in the show. "}
          {!connections.isPending && <a {...linkTo(PATHS.connections)}>Link another</a>}
        </p>
      )}
    </section>
  );
}

function Presets({ onChoose }: { onChoose: (preset: TargetPreset) => void }) {
  const api = useApi();
  const presets = useQuery({
    queryKey: TARGET_PRESETS,
    queryFn: ({ signal }) => api.targetPresets(signal),
    staleTime: Infinity,
  });
  return (
    <section className="stack tight" aria-labelledby="addresses">
      <h3 id="addresses">With an address and a key</h3>
      <ul className="places">
        {presets.data?.map((preset) => (
          <li key={preset.platform}>
            <button type="button" onClick={() => onChoose(preset)}>
              {preset.title}
              {!preset.platform && <span className="quiet-text">RTMP, SRT or WHIP</span>}
            </button>
          </li>
        ))}
      </ul>
      <Problem error={presets.error} retry={() => void presets.refetch()} />
    </section>
  );
}
