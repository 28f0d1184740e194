import type { Access, PlayerChange, PlayerSettings } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { TextField } from "../../parts/text-field";
import { LinesField } from "../feed/lines-field";
import { ACCESS, capProblem, siteProblem, sitesOf } from "./player-words";

interface Props {
  settings: PlayerSettings;
  change: (wish: PlayerChange) => Promise<void>;
}

/** Access, sites, and room. */
export function AccessFields({ settings, change }: Props) {
  const [access, setAccess] = useState(settings.access);
  const [sites, setSites] = useState(settings.origins.join("\n"));
  const [cap, setCap] = useState(String(settings.viewer_cap ?? ""));
  const [tried, setTried] = useState(false);
  const save = useMutation({ mutationFn: change });
  const problems = { sites: siteProblem(sites), cap: capProblem(cap) };
  const edited = () => {
    save.reset();
    setTried(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (problems.sites || problems.cap || save.isPending) return;
    save.mutate({ access, origins: sitesOf(sites), viewer_cap: cap.trim() ? Number(cap) : null });
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <SelectField
        label="Access"
        help={ACCESS.find((one) => one.value === access)?.help}
        value={access}
        options={ACCESS}
        onChoose={(value) => {
          edited();
          setAccess(value as Access);
        }}
      />
      <LinesField
        label="Sites that may show the player"
        help="One per line, for example https://brand.com or https://*.brand.com. Empty: any site. Our own watch page always may."
        problem={tried ? problems.sites : undefined}
        lines={3}
        value={sites}
        onText={(text) => {
          edited();
          setSites(text);
        }}
      />
      <TextField
        label="Most viewers at one time (optional)"
        help="Who comes later is told that the show is full. Nobody who watches is cut. Viewers a CDN serves by itself are not counted."
        inputMode="numeric"
        problem={tried ? problems.cap : undefined}
        value={cap}
        onText={(text) => {
          edited();
          setCap(text);
        }}
      />
      <Problem error={save.error} />
      <div className="row">
        <button aria-disabled={save.isPending}>{save.isPending ? "Saving…" : "Save who may watch"}</button>
        <span className="quiet-text" role="status">
          {save.isSuccess && "Saved."}
        </span>
      </div>
    </form>
  );
}
