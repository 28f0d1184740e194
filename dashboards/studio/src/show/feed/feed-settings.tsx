import type { Feed, FeedChange } from "@simulcast/api";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useApi } from "../../api";
import { Problem } from "../../parts/problem";
import { SelectField } from "../../parts/select-field";
import { TextField } from "../../parts/text-field";
import { SlatePicture } from "./slate-picture";

interface Props {
  showId: string;
  settings: Feed;
  onChanged: () => Promise<unknown>;
}

const LONGEST_GRACE_S = 1_800;

/** What happens while the encoder is away, and who may take over. */
export function FeedSettings({ showId, settings, onChanged }: Props) {
  const api = useApi();
  const [draft, setDraft] = useState<FeedChange>({});
  const [grace, setGrace] = useState(String(settings.grace_seconds));
  const now = { ...settings, ...draft };
  const save = useMutation({
    mutationFn: async (change: FeedChange) => {
      await api.changeFeed(showId, change);
      await onChanged();
    },
    onSuccess: () => setDraft({}),
  });
  const set = (part: FeedChange) => {
    save.reset();
    setDraft({ ...draft, ...part });
  };
  const seconds = Number(grace);
  const wrong = !/^\d+$/.test(grace) || seconds > LONGEST_GRACE_S;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong && !save.isPending) save.mutate({ ...draft, grace_seconds: seconds });
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <TextField
        label="Cover a lost encoder for (seconds)"
        help="So long the platforms get the slate and keep the show. Then their connections are closed."
        inputMode="numeric"
        problem={wrong ? `Enter a whole number up to ${LONGEST_GRACE_S}.` : undefined}
        value={grace}
        onText={(text) => {
          save.reset();
          setGrace(text);
        }}
      />
      <TextField
        label="Words on the slate"
        help="On a dark picture, when there is no picture of your own."
        maxLength={80}
        value={now.slate_text}
        onText={(text) => set({ slate_text: text })}
      />
      <SlatePicture showId={showId} asset={now.slate_asset} onAsset={(asset) => set({ slate_asset: asset })} />
      <SelectField
        label="If a second encoder comes with the same key"
        value={now.takeover}
        options={[
          { value: "newest", title: "It takes over" },
          { value: "refuse", title: "It is refused" },
        ]}
        onChoose={(value) => set({ takeover: value as Feed["takeover"] })}
      />
      <SelectField
        label="When the main encoder comes back"
        value={now.failback}
        options={[
          { value: "return", title: "Go back to it" },
          { value: "sticky", title: "Stay on the backup until that drops" },
        ]}
        onChoose={(value) => set({ failback: value as Feed["failback"] })}
      />
      <Problem error={save.error} />
      <div className="row">
        <button aria-disabled={save.isPending}>{save.isPending ? "Saving…" : "Save settings"}</button>
        <span className="quiet-text" role="status">
          {save.isSuccess && "Saved."}
        </span>
      </div>
    </form>
  );
}
