import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../../api";
import { CopyButton } from "../../parts/copy-button";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { TextField } from "../../parts/text-field";
import { dateTime } from "../../parts/words";
import { LASTS } from "./player-words";

/** Makes a link to a private show for one person. */
export function LinkMaker({ showId }: { showId: string }) {
  const api = useApi();
  const [hours, setHours] = useState("24");
  const [ip, setIp] = useState("");
  const make = useMutation({
    mutationFn: () => api.makePrivateLink(showId, { hours: Number(hours), ip: ip.trim() || null }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  };
  const edit = (set: (text: string) => void) => (text: string) => {
    make.reset();
    set(text);
  };
  return (
    <form className="stack tight" onSubmit={submit} noValidate>
      <h3>Private link</h3>
      <div className="span">
        <SelectField label="It works for" value={hours} options={LASTS} onChoose={edit(setHours)} />
        <TextField
          label="Only from this IP address (optional)"
          autoComplete="off"
          value={ip}
          onText={edit(setIp)}
        />
      </div>
      <div className="row">
        <button aria-disabled={make.isPending}>{make.isPending ? "Making…" : "Make a private link"}</button>
      </div>
      <Problem error={make.error} />
      {make.data && (
        <div className="stack tight" role="status">
          <p className="quiet-text">
            It works until {dateTime(make.data.expires_at)} for whoever has it, and is not shown again.
          </p>
          <code className="one-line">{make.data.url}</code>
          <div className="row">
            <CopyButton text={make.data.url} label="Copy private link" />
            <CopyButton text={make.data.embed_code} label="Copy embed code for it" />
          </div>
        </div>
      )}
    </form>
  );
}
