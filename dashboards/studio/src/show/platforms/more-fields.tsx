import { SelectField } from "../../parts/select-field";
import { TextField } from "../../parts/text-field";
import type { Draft } from "./draft";

interface Props {
  draft: Draft;
  problems: { tags?: string; language?: string };
  onDraft: (part: Partial<Draft>) => void;
}

const PRIVACY = [
  { value: "public", title: "Everybody" },
  { value: "unlisted", title: "Who has the link" },
  { value: "private", title: "Only the account itself" },
];
const LATENCY = [
  { value: "", title: "As set for the account" },
  { value: "normal", title: "Normal" },
  { value: "low", title: "Low" },
  { value: "ultra_low", title: "Ultra low" },
];
const KIDS = [
  { value: "", title: "As set for the account" },
  { value: "no", title: "No" },
  { value: "yes", title: "Yes (most platforms then have no chat)" },
];

/** What only some platforms know. */
export function MoreFields({ draft, problems, onDraft }: Props) {
  return (
    <>
      <SelectField
        label="Who may watch on the platforms"
        value={draft.privacy}
        options={PRIVACY}
        onChoose={(privacy) => onDraft({ privacy: privacy as Draft["privacy"] })}
      />
      <SelectField
        label="Delay on the platforms"
        help="Less delay means more stuttering for viewers with a slow network."
        value={draft.latency}
        options={LATENCY}
        onChoose={(latency) => onDraft({ latency })}
      />
      <SelectField
        label="Made for kids"
        value={draft.kids}
        options={KIDS}
        onChoose={(kids) => onDraft({ kids: kids as Draft["kids"] })}
      />
      <TextField
        label="Category (optional)"
        maxLength={120}
        value={draft.category}
        onText={(category) => onDraft({ category })}
      />
      <TextField
        label="Tags (optional)"
        help="Separated by commas."
        problem={problems.tags}
        value={draft.tags}
        onText={(tags) => onDraft({ tags })}
      />
      <TextField
        label="Language (optional)"
        help="A code, for example en or pt-BR."
        problem={problems.language}
        maxLength={35}
        value={draft.language}
        onText={(language) => onDraft({ language })}
      />
    </>
  );
}
