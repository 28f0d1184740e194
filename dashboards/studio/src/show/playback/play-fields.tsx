import type { PartLength, PlayerChange, PlayerMode, PlayerSettings, Rung, ShowSnapshot } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { CheckField } from "../../parts/check-field";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { TextField } from "../../parts/text-field";
import { MODES, modeHelp, PARTS, whepProblem } from "./player-words";
import { PosterField } from "./poster-field";
import { Rungs } from "./rungs";

interface Props {
  show: ShowSnapshot["show"];
  settings: PlayerSettings;
  rungs: Rung[];
  change: (wish: PlayerChange) => Promise<void>;
}

/** Delay, qualities, WebRTC, and the picture before the play button. */
export function PlayFields({ show, settings, rungs, change }: Props) {
  const [draft, setDraft] = useState<PlayerChange>({});
  const [whep, setWhep] = useState(settings.whep_url ?? "");
  const [tried, setTried] = useState(false);
  const now = { ...settings, ...draft };
  const save = useMutation({ mutationFn: change, onSuccess: () => setDraft({}) });
  const set = (part: PlayerChange) => {
    save.reset();
    setDraft({ ...draft, ...part });
  };
  const problem = whepProblem(whep);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!problem && !save.isPending) save.mutate({ ...draft, whep_url: whep.trim() || null });
  };
  const live = show.state === "live";
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <SelectField
        label="Mode"
        help={modeHelp(now.mode, now.whep || whep.trim() !== "")}
        value={now.mode}
        options={MODES}
        onChoose={(value) => set({ mode: value as PlayerMode })}
      />
      {live ? (
        <p className="quiet-text">
          Parts are {(now.part_ms / 1_000).toFixed(2)} s long. That is settled while the show is live.
        </p>
      ) : (
        <SelectField
          label="Length of parts"
          help="Video comes in pieces of this length. Short ones arrive sooner; long ones forgive a poor network."
          value={String(now.part_ms)}
          options={PARTS.map(({ value, title }) => ({ value: String(value), title }))}
          onChoose={(value) => set({ part_ms: Number(value) as PartLength })}
        />
      )}
      <CheckField
        label="Smaller qualities for slow networks"
        help="Made on the media server, as many as it can carry. Your feed stays the best one, untouched."
        checked={now.ladder}
        onCheck={(ladder) => set({ ladder })}
      />
      {settings.ladder && <Rungs rungs={rungs} />}
      <CheckField
        label="WebRTC from this server"
        help="For up to about a hundred viewers for each sender process; the others get the balanced way."
        checked={now.whep}
        onCheck={(wanted) => set({ whep: wanted })}
      />
      <TextField
        label="WHEP address of another server (optional)"
        help="When a show outgrows one machine: add your SFU as a target (WHIP), and enter its WHEP address here."
        inputMode="url"
        autoComplete="off"
        problem={tried ? problem : undefined}
        value={whep}
        onText={(text) => {
          save.reset();
          setTried(false);
          setWhep(text);
        }}
      />
      <PosterField showId={show.id} asset={now.poster_asset} onAsset={(asset) => set({ poster_asset: asset })} />
      <Problem error={save.error} />
      <div className="row">
        <button aria-disabled={save.isPending}>{save.isPending ? "Saving…" : "Save how it plays"}</button>
        <span className="quiet-text" role="status">
          {save.isSuccess && "Saved."}
        </span>
      </div>
    </form>
  );
}
